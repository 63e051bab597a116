#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "cdp/identity_view.h"
#include "cdp/person_then.h"
#include "storage/key.h"

// The graph of one person.
namespace cdp {
namespace {

using identity::Hop;

// Of each list; persons of normal size have a few.
constexpr std::size_t kListedMax = 1000;
constexpr std::size_t kHistoryMax = 100;

std::string person_member(const PersonId& person) {
    return "{\"person\":\"" + to_hex(person.view()) + "\"";
}

// Rows of one group, newest or least first, at most `most`; the visit is false for what cannot be
// read.
Result<void> each_row(IdentityReading& reading, const std::string& prefix, std::size_t most,
                      const std::function<bool(storage::KeyReader&, std::string_view)>& visit) {
    bool readable = true;
    std::size_t rows = 0;
    CDP_CHECK(reading.reading().transaction.scan(prefix,
                                                 [&](std::string_view key, std::string_view value) {
                                                     if (rows++ == most) return false;
                                                     storage::KeyReader in(key);
                                                     readable = visit(in, value) && in.ok();
                                                     return readable;
                                                 }));
    if (!readable) return damaged("a row of a person that cannot be read");
    return Result<void>::ok();
}

using Since = std::map<Token, Timestamp>;

Result<Since> members_since(IdentityReading& reading, const Token& anchor) {
    Since out;
    CDP_CHECK(each_row(reading, storage::KeyWriter(storage::Space::member, anchor).str(),
                       std::string::npos, [&](storage::KeyReader& key, std::string_view value) {
                           const auto since = identity::decode_since(value);
                           if (since) out.emplace(key.id<Token>(), *since);
                           return since.has_value();
                       }));
    return out;
}

// An identifier that a person had.
struct Past {
    Token token;
    Timestamp since{};
    Timestamp until{};
};

// Those that were lost last, newest first.
Result<std::vector<Past>> former_of(IdentityReading& reading, const PersonId& person) {
    std::vector<Past> out;
    CDP_CHECK(each_row(reading, storage::KeyWriter(storage::Space::former, person).str(),
                       kHistoryMax, [&](storage::KeyReader& key, std::string_view value) {
                           const auto since = identity::decode_since(value);
                           const auto until = key.newest_first();
                           out.push_back({key.id<Token>(), since.value_or(until), until});
                           return since.has_value();
                       }));
    return out;
}

// Where an identifier was before, newest first: [{"person":…,"since":…,"until":…}].
Result<std::string> history_json(IdentityReading& reading, const Token& token) {
    JsonList list;
    CDP_CHECK(each_row(reading, storage::KeyWriter(storage::Space::history, token).str(),
                       kHistoryMax, [&](storage::KeyReader& key, std::string_view value) {
                           ByteReader in(value);
                           const auto format = in.u8();
                           const auto since = timestamp_of(in.i64());
                           const auto person = in.raw(sizeof(PersonId::bytes));
                           if (format != 1 || !in.done()) return false;
                           list.add(person_member(PersonId::from(person)) +
                                    time_member("since", since) +
                                    time_member("until", key.newest_first()) + "}");
                           return true;
                       }));
    return list.str();
}

// The graph of the person that one node of a reading is of.
class PersonGraph {
public:
    PersonGraph(IdentityReading& reading, std::uint32_t node)
        : reading_(reading), folded_(reading.near().folded()), anchor_(anchor_of(node)) {}

    Result<std::string> identifiers(const Since& since) {
        JsonList list;
        for (const auto& [token, time] : since) {
            const auto node = reading_.near().find(token);
            if (!node || !has(*node)) continue;
            list.add(CDP_TRY(identifier(*node)) + time_member("since", time) + "}");
        }
        return list.str();
    }

    // All links between the person's identifiers; `joined`: those that made them one.
    Result<std::string> links() {
        JsonList list;
        std::size_t n = 0;
        std::vector<bool> told(folded_.links.size());
        const auto tell = [&](std::uint32_t i, bool joined) -> Result<void> {
            told[i] = true;
            if (!has(folded_.links[i].a) || ++n > kListedMax) return Result<void>::ok();
            list.add(CDP_TRY(link(folded_.links[i])) + ",\"joined\":" + json_bool(joined) + "}");
            return Result<void>::ok();
        };
        for (const auto i : folded_.partition.must_joined)
            if (has(folded_.asserted.must[i].first))
                list.add(CDP_TRY(must_link(i)) + ",\"joined\":true}");
        for (const auto i : folded_.partition.joined) CDP_CHECK(tell(i, true));
        for (const auto& refused : folded_.partition.refused) told[refused.link] = true;
        for (std::uint32_t i = 0; i < told.size(); ++i)
            if (!told[i]) CDP_CHECK(tell(i, false));
        return list.str();
    }

    // Those that would lead out of the person, those within that are cut, and those taken back.
    Result<std::string> refused() {
        JsonList list;
        std::size_t n = 0;
        for (const auto& [link_index, reason] : folded_.partition.refused) {
            const auto& one = folded_.links[link_index];
            if ((!has(one.a) && !has(one.b)) || ++n > kListedMax) continue;
            list.add(CDP_TRY(link(one)) + ",\"reason\":\"" + std::string(to_string(reason)) +
                     "\"}");
        }
        for (const auto i : folded_.partition.must_refused) {
            const auto& [a, b] = folded_.asserted.must[i];
            if (!has(a) && !has(b)) continue;
            const auto apart =
                out_of_play(folded_, a) ? out_of_play(folded_, a) : out_of_play(folded_, b);
            list.add(CDP_TRY(must_link(i)) + ",\"reason\":\"" +
                     std::string(to_string(apart.value_or(identity::Apart::cannot_link))) + "\"}");
        }
        for (const auto* taken : reading_.near().taken()) {
            if (!touches(*taken) || reading_.near().linked(*taken) || ++n > kListedMax) continue;
            list.add("{\"a\":{" + CDP_TRY(reading_.identifier_members(taken->a)) + "},\"b\":{" +
                     CDP_TRY(reading_.identifier_members(taken->b)) + "}," +
                     CDP_TRY(reading_.evidence(taken->evidence)) + ",\"reason\":\"retracted\"," +
                     assertions_member(taken->by) + "}");
        }
        return list.str();
    }

    // The ids of what is asserted of the person's identifiers, and of what takes links of theirs.
    Result<std::string> assertions() {
        std::set<identity::AssertionId> ids;
        for (std::uint32_t i = 0; i < folded_.nodes.size(); ++i) {
            if (!has(i) || !reading_.member(i).node.asserted) continue;
            for (const auto& entry : CDP_TRY(identity::Assertions::entries(
                     reading_.reading().transaction, reading_.member(i).token)))
                ids.insert(entry.id);
        }
        for (const auto* taken : reading_.near().taken())
            if (touches(*taken)) ids.insert(taken->by.begin(), taken->by.end());
        return assertions_member({ids.begin(), ids.end()});
    }

private:
    std::uint32_t anchor_of(std::uint32_t node) const { return folded_.partition.anchor[node]; }
    bool has(std::uint32_t node) const { return anchor_of(node) == anchor_; }
    bool touches(const identity::TakenLink& link) const {
        for (const Token& end : {link.a, link.b})
            if (const auto node = reading_.near().find(end); node && has(*node)) return true;
        return false;
    }

    Result<std::string> identifier(std::uint32_t node) {
        const auto& stored = reading_.member(node).node;
        auto out = "{" + CDP_TRY(reading_.identifier_members(reading_.member(node).token));
        out += ",\"class\":\"" + std::string(to_string(folded_.nodes[node].type->link_class)) +
               "\"" + time_member("first_seen", stored.first_seen) +
               ",\"shared\":" + json_bool(folded_.partition.shared[node]) +
               ",\"blocked\":" + json_bool(folded_.nodes[node].blocked) +
               ",\"contested\":" + json_bool(folded_.partition.contested[node]) + ",\"level\":\"" +
               std::string(to_string(folded_.partition.level[node])) + "\"";
        return out;
    }

    Result<std::string> ends(std::uint32_t a, std::uint32_t b) {
        return "{\"a\":" + CDP_TRY(reading_.identifier(a)) +
               ",\"b\":" + CDP_TRY(reading_.identifier(b)) + ",";
    }
    Result<std::string> link(const identity::FoldLink& link) {
        return CDP_TRY(ends(link.a, link.b)) + CDP_TRY(reading_.evidence(link.evidence));
    }
    Result<std::string> must_link(std::uint32_t i) {
        const auto& [a, b] = folded_.asserted.must[i];
        return CDP_TRY(ends(a, b)) + "\"class\":\"assertion\"," +
               assertions_member(CDP_TRY(reading_.assertions(reading_.member(a).token,
                                                             identity::AssertionKind::must_link,
                                                             reading_.member(b).token)));
    }

    IdentityReading& reading_;
    identity::Folded folded_;
    std::uint32_t anchor_;
};

Error nobody_then() {
    return {.code = ErrorCode::not_found,
            .reason = "person_unknown",
            .message = "Nobody was known by that identifier at that time.",
            .pointer = "/as_of"};
}

}  // namespace

Result<Shown> IdentityView::of_person(const NamedIdentifier& subject) const {
    IdentityReading reading(needs_);
    const auto token =
        CDP_TRY(needs_.people.resolve(reading.reading(), subject.type, subject.value));
    const auto stored = CDP_TRY(needs_.people.find(reading.reading(), token));
    CDP_CHECK(reading.load({&token, 1}));
    const auto since = CDP_TRY(members_since(reading, stored.anchor));
    std::vector<Token> own{token};
    for (const auto& [member, time] : since)
        if (member != token) own.push_back(member);
    CDP_CHECK(reading.load_taken_back(own));
    PersonGraph graph(reading, reading.at(token));
    std::string out = person_member(stored.person());
    out += ",\"identifiers\":" + CDP_TRY(graph.identifiers(since));
    out += ",\"links\":" + CDP_TRY(graph.links()) + ",\"refused\":" + CDP_TRY(graph.refused());
    out += "," + CDP_TRY(graph.assertions());
    if (stored.shared) {
        const auto rules = CDP_TRY(needs_.graph.rules(reading.reading().transaction));
        const auto seen =
            CDP_TRY(identity::seen_with(reading.reading().transaction, rules, token, stored));
        out += ",\"seen_with\":" + seen_with_json(seen);
    }
    JsonList former;
    for (const Past& past : CDP_TRY(former_of(reading, stored.person())))
        former.add("{" + CDP_TRY(reading.identifier_members(past.token)) +
                   time_member("since", past.since) + time_member("until", past.until) + "}");
    out += ",\"former\":" + former.str() + ",\"history\":" + CDP_TRY(history_json(reading, token)) +
           "}";
    return reading.shown(std::move(out));
}

Result<Shown> IdentityView::of_person_at(const NamedIdentifier& subject, Timestamp at) const {
    IdentityReading reading(needs_);
    auto& transaction = reading.reading().transaction;
    const auto token =
        CDP_TRY(needs_.people.resolve(reading.reading(), subject.type, subject.value));
    const auto node = CDP_TRY(needs_.graph.find(transaction, token));
    if (!node) return needs_.people.find(reading.reading(), token).error();
    const auto person = CDP_TRY(person_then(needs_.graph, transaction, token, at));
    if (!person) return nobody_then();
    JsonList identifiers;
    for (const auto& member : person->members)
        identifiers.add("{" + CDP_TRY(reading.identifier_members(member)) + "}");
    return reading.shown(person_member(person->id) + time_member("as_of", at) +
                         ",\"identifiers\":" + identifiers.str() + "}");
}

}  // namespace cdp
