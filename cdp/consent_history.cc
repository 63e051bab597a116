#include "cdp/consent_history.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "consent/json_string.h"
#include "consent/rows.h"
#include "consent/tiles.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

constexpr std::size_t kRowsMax = 20'000;

std::string quoted(std::string_view bytes) {
    return '"' + to_hex(bytes) + '"';
}

struct Place {
    Timestamp time{};
    RecordId id{};

    // Newest first.
    friend bool operator<(const Place& a, const Place& b) {
        return std::tuple(b.time, b.id) < std::tuple(a.time, a.id);
    }
};

std::string cursor_of(const Place& place) {
    return to_hex(ByteWriter().i64(milliseconds_of(place.time)).raw(place.id.view()).str());
}

Result<Place> read_cursor(const std::string& cursor) {
    const auto bytes = from_hex(cursor);
    if (!bytes) return malformed_cursor();
    ByteReader in(*bytes);
    Place place{.time = timestamp_of(in.i64()), .id = in.id<RecordId>()};
    if (!in.done()) return malformed_cursor();
    return place;
}

std::string decision_json(std::size_t identifier, const consent::Decision& decision) {
    std::string out = "{\"identifier\":" + std::to_string(identifier) + ",\"outcome\":\"" +
                      std::string(consent::to_string(decision.outcome())) + "\",\"reason\":\"" +
                      std::string(consent::to_string(decision.reason)) + "\"";
    if (decision.evidence) out += ",\"record\":" + quoted(decision.evidence->view());
    return out + moment("defer_until", decision.defer_until) + "}";
}

}  // namespace

struct ConsentHistory::Said {
    Place place;
    Token under{};
    consent::Row row;
    consent::Sha256 commitment{};
};

// A record stands under each identifier that it names, and is met once.
Result<std::vector<ConsentHistory::Said>> ConsentHistory::said_under(
    const storage::Snapshot& snapshot, const std::vector<Token>& members) const {
    std::vector<Said> out;
    std::set<RecordId> met;
    std::size_t rows = 0;
    for (const auto& token : members) {
        const auto key = CDP_TRY(needs_.vault.find(snapshot, token));
        if (!key) continue;
        auto outcome = Result<void>::ok();
        const auto take = [&](std::string_view row_key, std::string_view sealed) -> Result<void> {
            auto opened = CDP_TRY(consent::open_row(*key, token, row_key, sealed));
            const auto* record = std::get_if<consent::Record>(&opened.row);
            const auto* cell = std::get_if<consent::Cell>(&opened.row);
            const Place place{record ? record->time : cell->first.time,
                              record ? record->id : cell->id};
            if (!met.insert(place.id).second) return Result<void>::ok();
            const auto commitment = CDP_TRY(consent::commitment_of(*key, token, row_key, sealed));
            out.push_back({place, token, std::move(opened.row), commitment});
            return Result<void>::ok();
        };
        CDP_CHECK(snapshot.scan(consent::group_prefix(token), "",
                                [&](std::string_view row_key, std::string_view sealed) {
                                    outcome = take(row_key, sealed);
                                    return outcome && ++rows < kRowsMax;
                                }));
        CDP_CHECK(outcome);
    }
    if (rows >= kRowsMax)
        return Error{.code = ErrorCode::unavailable,
                     .reason = "history_too_long",
                     .message =
                         "So much was said under these identifiers that one answer cannot "
                         "hold it; export the consents instead."};
    std::ranges::sort(out, [](const Said& a, const Said& b) { return a.place < b.place; });
    return out;
}

Result<std::string> ConsentHistory::said_json(const storage::Snapshot& snapshot,
                                              const Said& said) const {
    const StoredNames names(needs_.vault, snapshot);
    std::string out = "{";
    if (const auto* record = std::get_if<consent::Record>(&said.row)) {
        out += "\"kind\":\"record\"," + CDP_TRY(record_members(*record, names.reader())) +
               moment("valid_until", record->valid_until) + moment("received", record->received);
    } else {
        const auto& cell = std::get<consent::Cell>(said.row);
        out += "\"kind\":\"stamp\"," + CDP_TRY(stamp_members(cell, said.under, names.reader()));
    }
    const auto index = CDP_TRY(snapshot.get(consent::entry_index_key(said.commitment)));
    out += ",\"ledger\":{\"commitment\":" + quoted(consent::view(said.commitment));
    return out + ",\"index\":" + (index ? std::to_string(ByteReader(*index).u64()) : "null") + "}}";
}

Result<Shown> ConsentHistory::page(const NamedIdentifier& subject, const PageQuery& query) const {
    CDP_CHECK(check_limit(query.limit));
    std::optional<Place> after;
    if (!query.cursor.empty()) after = CDP_TRY(read_cursor(query.cursor));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto token = CDP_TRY(needs_.people.resolve(reading, subject.type, subject.value));
    const auto node = CDP_TRY(needs_.people.find(reading, token));
    const auto members = CDP_TRY(needs_.graph.members(transaction, node.anchor));
    const auto said = CDP_TRY(said_under(*snapshot, members));
    std::string list;
    std::string next = "null";
    std::size_t count = 0;
    const Said* last = nullptr;
    for (const auto& one : said) {
        if (after && !(*after < one.place)) continue;
        if (count++ == query.limit) {
            next = '"' + cursor_of(last->place) + '"';
            break;
        }
        list += (list.empty() ? "" : ",") + CDP_TRY(said_json(*snapshot, one));
        last = &one;
    }
    return Shown("{\"person\":" + quoted(node.person().view()) + ",\"records\":[" + list +
                     "],\"next\":" + next + "}",
                 {.identifiers = {token}, .persons = {node.person()}});
}

Result<Known> ConsentHistory::known_now(People::Reading reading, const Token& token) const {
    auto person = CDP_TRY(needs_.people.load(reading, token));
    return Known{.person = person.id,
                 .members = std::move(person.consents),
                 .policy = needs_.policies.now()};
}

namespace {

// What each identifier's own data would have been answered.
std::string identifier_decisions(const consent::Judge& judge,
                                 const std::vector<consent::Member>& members, Timestamp as_of) {
    std::string out;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto& member = members[i];
        if (member.quarantined_until_released) continue;
        const auto value = member.contact ? std::optional(member.token) : std::nullopt;
        const auto decision =
            judge.decide({.home = member.token, .value = value, .captured = as_of});
        out += (out.empty() ? "" : ",") + decision_json(i, decision);
    }
    return "[" + out + "]";
}

// For every purpose and channel asked about; without a channel for those that are registered.
std::string all_decisions(const consent::Policy& policy,
                          const std::vector<consent::Member>& members, const BeliefQuery& query) {
    std::string out;
    for (const auto& purpose : policy.purposes) {
        if (!query.purpose.empty() && purpose.name != query.purpose) continue;
        for (const auto& channel : policy.channels) {
            if (!query.channel.empty() && channel.id != query.channel) continue;
            const consent::Judge judge(
                policy, members,
                {.purpose = purpose.name, .channel = channel.id, .now = query.as_of});
            if (judge.refused() && query.channel.empty()) continue;
            out += (out.empty() ? "{\"purpose\":" : ",{\"purpose\":") + json_string(purpose.name) +
                   ",\"channel\":" + json_string(channel.id) +
                   ",\"identifiers\":" + identifier_decisions(judge, members, query.as_of) + "}";
        }
    }
    return "[" + out + "]";
}

}  // namespace

Result<std::string> ConsentHistory::belief(const storage::Snapshot& snapshot, const Known& known,
                                           const BeliefQuery& query) const {
    const StoredNames names(needs_.vault, snapshot);
    auto members = known.members;
    for (auto& member : members) keep_said_by(member.facts, query.as_of);
    std::string out = "{\"person\":";
    out += known.person ? quoted(known.person->view()) : "null";
    out += ",\"policy_version\":" + quoted(consent::view(known.policy.version));
    if (known.policy.assumed) out += ",\"policy_assumed\":true";
    out += ",\"identifiers\":[";
    std::set<RecordId> records;
    for (const auto& member : members) {
        out += (out.back() == '[' ? "{" : ",{") + CDP_TRY(names.name_of(member.token));
        out += member.quarantined_until_released ? ",\"quarantined\":true}" : "}";
        for (const auto& fact : member.facts) records.insert(fact.id);
    }
    out += "],\"decisions\":" + all_decisions(*known.policy.policy, members, query);
    out += ",\"records\":[";
    for (const auto& id : records) out += (out.back() == '[' ? "" : ",") + quoted(id.view());
    return out + "]}";
}

Result<Shown> ConsentHistory::beliefs(const BeliefQuery& query) const {
    const auto now = needs_.clock.now();
    const auto known_at = query.known_at.value_or(query.as_of);
    if (query.as_of > now) return refuse("in_the_future", "That time has not come.", "/as_of");
    if (known_at > now) return refuse("in_the_future", "That time has not come.", "/known_at");
    const auto& policy = *needs_.policies.now().policy;
    if (!query.channel.empty() && !policy.find_channel(query.channel))
        return refuse("channel_unknown", "No such channel is configured.", "/channel");
    if (!query.purpose.empty() && !policy.find_purpose(query.purpose))
        return refuse("purpose_unknown", "No such purpose is configured.", "/purpose");
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto token =
        CDP_TRY(needs_.people.resolve(reading, query.subject.type, query.subject.value));
    const auto today = CDP_TRY(known_now(reading, token));
    const auto then = CDP_TRY(
        known_then({needs_.graph, needs_.people, needs_.policies}, reading, token, known_at));
    const StoredNames names(needs_.vault, *snapshot);
    auto body = "{\"subject\":{" + CDP_TRY(names.name_of(token)) + "}" +
                moment("as_of", query.as_of) + moment("known_at", known_at) +
                ",\"then\":" + CDP_TRY(belief(*snapshot, then, query)) +
                ",\"now\":" + CDP_TRY(belief(*snapshot, today, query)) + "}";
    Looked whom{.identifiers = {token}, .persons = {*today.person}};
    if (then.person && then.person != today.person) whom.persons.push_back(*then.person);
    return Shown(std::move(body), std::move(whom));
}

}  // namespace cdp
