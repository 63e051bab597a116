#include "cdp/consent_history.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/json_text.h"
#include "cdp/named.h"
#include "cdp/paging.h"
#include "cdp/refuse.h"
#include "consent/json_string.h"
#include "consent/tiles.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;

struct Place {
    Timestamp time{};
    RecordId id{};

    // Newest first.
    friend bool operator<(const Place& a, const Place& b) {
        return std::tuple(b.time, b.id) < std::tuple(a.time, a.id);
    }
};

constexpr std::string_view kQuestion = "consents of a person";

std::string cursor_of(const Place& place) {
    return cursor_to(kQuestion,
                     ByteWriter().i64(milliseconds_of(place.time)).raw(place.id.view()).str());
}

Result<Place> read_cursor(const std::string& cursor) {
    const auto bytes = CDP_TRY(place_in(kQuestion, cursor));
    ByteReader in(bytes);
    Place place{.time = timestamp_of(in.i64()), .id = in.id<RecordId>()};
    if (!in.done()) return malformed_cursor();
    return place;
}

std::string decision_json(std::size_t identifier, const consent::Decision& decision) {
    std::string out = "{\"identifier\":" + std::to_string(identifier) + ",\"outcome\":\"" +
                      std::string(consent::to_string(decision.outcome())) + "\",\"reason\":\"" +
                      std::string(consent::to_string(decision.reason)) + "\"";
    if (decision.evidence) out += ",\"record\":" + hex_json(decision.evidence->view());
    return out + moment("defer_until", decision.defer_until) + "}";
}

}  // namespace

Result<std::string> said_members(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                 const Committed& said) {
    const StoredNames names(vault, snapshot);
    return said_members(snapshot, said, names.reader());
}

Result<std::string> said_members(const storage::Snapshot& snapshot, const Committed& said,
                                 const NameOf& name_of) {
    const auto* record = std::get_if<consent::Record>(&said.row);
    const auto out =
        record ? CDP_TRY(record_shown(*record, name_of))
               : CDP_TRY(stamp_shown(std::get<consent::Cell>(said.row), said.under, name_of));
    return out + ',' + CDP_TRY(ledger_member(snapshot, said.commitment()));
}

Result<std::string> ledger_member(const storage::Snapshot& snapshot,
                                  const consent::Sha256& commitment) {
    const auto index = CDP_TRY(snapshot.get(consent::entry_index_key(commitment)));
    return "\"ledger\":{\"commitment\":" + hex_json(consent::view(commitment)) +
           ",\"index\":" + (index ? std::to_string(ByteReader(*index).u64()) : "null") + "}";
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
    const auto said = CDP_TRY(all_committed(*snapshot, needs_.vault, members));
    std::string list;
    std::string next = "null";
    std::size_t count = 0;
    Place last;
    for (const auto& one : said) {
        const Place place{one.time(), one.id()};
        if (after && !(*after < place)) continue;
        if (count++ == query.limit) {
            next = '"' + cursor_of(last) + '"';
            break;
        }
        list += (list.empty() ? "{" : ",{") + CDP_TRY(said_members(*snapshot, needs_.vault, one));
        list += '}';
        last = place;
    }
    return Shown("{\"person\":" + hex_json(node.person().view()) + ",\"records\":[" + list +
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
    const auto& members = known.members;
    std::string out = "{\"person\":";
    out += known.person ? hex_json(known.person->view()) : "null";
    out += ",\"policy_version\":" + hex_json(consent::view(known.policy.version));
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
    for (const auto& id : records) out += (out.back() == '[' ? "" : ",") + hex_json(id.view());
    return out + "]}";
}

// Of what any of them rests on.
Result<std::string> ConsentHistory::proofs(const storage::Snapshot& snapshot,
                                           std::span<const Known> known, const Prove& prove) const {
    std::set<Token> under;
    std::set<RecordId> wanted;
    for (const auto& one : known)
        for (const auto& member : one.members) {
            under.insert(member.token);
            for (const auto& fact : member.facts) wanted.insert(fact.id);
        }
    std::string list;
    std::size_t count = 0;
    for (const auto& one :
         CDP_TRY(all_committed(snapshot, needs_.vault, {under.begin(), under.end()}))) {
        if (!wanted.contains(one.id()) || count++ >= kProofsMax) continue;
        const auto proof = CDP_TRY(prove(one));
        // Proving may have published it.
        const auto published = needs_.store.snapshot();
        list += (list.empty() ? "{" : ",{") + CDP_TRY(said_members(*published, needs_.vault, one));
        list += ",\"proof\":" + proof + "}";
    }
    const auto left_out = count - std::min(count, kProofsMax);
    return "\"proofs\":[" + list + "],\"proofs_left_out\":" + std::to_string(left_out);
}

Result<Shown> ConsentHistory::beliefs(const BeliefQuery& query, const Prove& prove) const {
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
    const auto resolved = needs_.people.resolve(reading, query.subject.type, query.subject.value);
    if (!resolved) return at("/subject", resolved.error());
    const auto token = *resolved;
    auto before = CDP_TRY(
        known_then({needs_.graph, needs_.people, needs_.policies}, reading, token, known_at));
    auto by_now = CDP_TRY(known_now(reading, token));
    std::array known{std::move(before), std::move(by_now)};
    for (auto& one : known)
        for (auto& member : one.members) keep_said_by(member, query.as_of);
    const auto& [then, today] = known;
    const StoredNames names(needs_.vault, *snapshot);
    auto body = "{\"subject\":{" + CDP_TRY(names.name_of(token)) + "}" +
                moment("as_of", query.as_of) + moment("known_at", known_at) +
                ",\"then\":" + CDP_TRY(belief(*snapshot, then, query)) +
                ",\"now\":" + CDP_TRY(belief(*snapshot, today, query)) + "," +
                CDP_TRY(proofs(*snapshot, known, prove)) + "}";
    Looked whom{.identifiers = {token}, .persons = {*today.person}};
    if (then.person && then.person != today.person) whom.persons.push_back(*then.person);
    return Shown(std::move(body), std::move(whom));
}

}  // namespace cdp
