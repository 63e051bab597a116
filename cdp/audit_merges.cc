#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cdp/audit_answers.h"
#include "cdp/audit_person.h"
#include "cdp/base/bytes.h"
#include "cdp/changes.h"
#include "cdp/consent_json.h"
#include "cdp/json_text.h"
#include "cdp/merge_history.h"
#include "cdp/paging.h"
#include "cdp/policy_versions.h"
#include "cdp/quarantine_rows.h"
#include "cdp/refuse.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;
using Members = std::vector<consent::Member>;

constexpr std::size_t kComparedMax = 2'000;

// Two sides, and what they are together.
struct Sides {
    Members whole = {};
    Members a = {};
    Members b = {};
    std::vector<Token> compared = {};  // of a or b; the whole may have more
};

Error too_many() {
    return {.code = ErrorCode::unavailable,
            .reason = "too_many_identifiers",
            .message = "These persons have more identifiers than one answer compares."};
}

bool is_own(const consent::Member& member) {
    return !member.quarantined_until_released;
}

// Those of the whole that the tokens name, with whom an operator split off from them.
Result<Members> side_of(storage::Transaction& transaction, const Members& whole,
                        const std::vector<Token>& tokens) {
    std::set<Token> wanted(tokens.begin(), tokens.end());
    Members out;
    for (const auto& member : whole)
        if (is_own(member) && wanted.contains(member.token)) out.push_back(member);
    for (const auto& apart : CDP_TRY(quarantined_from(transaction, tokens))) {
        const auto at = std::ranges::find_if(whole, [&](const auto& member) {
            return member.token == apart.token && !is_own(member);
        });
        if (at != whole.end()) out.push_back(*at);
    }
    return out;
}

void note_compared(Sides& sides) {
    for (const auto* side : {&sides.a, &sides.b})
        for (const auto& member : *side)
            if (is_own(member)) sides.compared.push_back(member.token);
}

// What was together until they became one, by what is known now.
Result<Sides> split_again(const AuditSources& sources, People::Reading reading, const Token& token,
                          const Merge& merge) {
    Sides sides{.whole = CDP_TRY(sources.people.load(reading, token)).consents};
    sides.a = CDP_TRY(side_of(reading.transaction, sides.whole, merge.a.members));
    sides.b = CDP_TRY(side_of(reading.transaction, sides.whole, merge.b.members));
    note_compared(sides);
    return sides;
}

// As if they were one from now on. Whoever was split off from one and is of the other is with the
// others again.
Result<Sides> joined(const AuditSources& sources, People::Reading reading, const Token& a,
                     const Token& b) {
    Sides sides;
    sides.a = CDP_TRY(sources.people.load(reading, a)).consents;
    sides.b = CDP_TRY(sources.people.load(reading, b)).consents;
    std::map<Token, consent::Member> all;
    for (const auto* side : {&sides.a, &sides.b})
        for (const auto& member : *side) {
            const auto [at, fresh] = all.try_emplace(member.token, member);
            if (!fresh && is_own(member)) at->second = member;
        }
    for (auto& [token, member] : all) sides.whole.push_back(std::move(member));
    note_compared(sides);
    return sides;
}

struct Difference {
    std::string_view purpose;
    std::string_view channel;
    Token token;
    consent::Decision as_one;
    consent::Decision apart;
};

bool differ(const consent::Decision& a, const consent::Decision& b) {
    return a.reason != b.reason || a.evidence != b.evidence || a.outcome() != b.outcome();
}

class Comparison {
public:
    Comparison(const consent::Policy& policy, const Sides& sides, Timestamp now)
        : policy_(policy), sides_(sides), now_(now) {}

    void compare(const std::string& purpose, const std::string& channel) {
        const consent::Question question{.purpose = purpose, .channel = channel, .now = now_};
        const consent::Judge whole(policy_, sides_.whole, question);
        if (whole.refused()) return;
        for (const auto* side : {&sides_.a, &sides_.b}) {
            const consent::Judge judge(policy_, *side, question);
            for (const auto& member : *side)
                if (is_own(member)) compare(whole, judge, purpose, channel, member);
        }
    }

    const std::vector<Difference>& differences() const { return differences_; }
    std::size_t widened() const { return widened_; }
    std::size_t narrowed() const { return narrowed_; }

private:
    void compare(const consent::Judge& whole, const consent::Judge& side,
                 const std::string& purpose, const std::string& channel,
                 const consent::Member& member) {
        const auto value = member.contact ? std::optional(member.token) : std::nullopt;
        const consent::Datum datum{.home = member.token, .value = value, .captured = now_};
        const auto as_one = whole.decide(datum);
        const auto apart = side.decide(datum);
        if (!differ(as_one, apart)) return;
        if (as_one.allowed() && !apart.allowed()) ++widened_;
        if (!as_one.allowed() && apart.allowed()) ++narrowed_;
        differences_.push_back({purpose, channel, member.token, as_one, apart});
    }

    const consent::Policy& policy_;
    const Sides& sides_;
    const Timestamp now_;
    std::vector<Difference> differences_;
    std::size_t widened_ = 0;
    std::size_t narrowed_ = 0;
};

std::string decided(const consent::Decision& decision) {
    return "{\"outcome\":\"" + std::string(to_string(decision.outcome())) + "\",\"reason\":\"" +
           std::string(to_string(decision.reason)) +
           "\",\"record\":" + (decision.evidence ? hex_json(decision.evidence->view()) : "null") +
           moment("defer_until", decision.defer_until) + "}";
}

Result<std::string> identifiers_json(const StoredNames& names, const Members& members) {
    JsonList out;
    for (const auto& member : members)
        if (is_own(member)) out.add("{" + CDP_TRY(names.name_of(member.token)) + "}");
    return out.str();
}

Result<std::string> merge_json(const Merge& merge) {
    std::string out = "{\"time\":" + time_json(merge.time) +
                      ",\"a_was\":" + hex_json(merge.a.id.view()) +
                      ",\"b_was\":" + hex_json(merge.b.id.view()) + ",\"change\":";
    out += merge.change ? change_json(merge.change->version, merge.change->change, true) : "null";
    return out + "}";
}

constexpr std::string_view kQuestion = "merges";

// The place in the list.
Result<std::size_t> read_place(const PageQuery& query) {
    CDP_CHECK(check_limit(query.limit));
    const auto place = CDP_TRY(place_in(kQuestion, query.cursor));
    if (place.empty()) return std::size_t{0};
    ByteReader in(place);
    const auto at = in.u64();
    if (!in.done()) return malformed_cursor();
    return static_cast<std::size_t>(at);
}

Result<std::string> page_json(const StoredNames& names, const Comparison& comparison,
                              const PageQuery& query) {
    const auto& all = comparison.differences();
    const auto first = std::min(CDP_TRY(read_place(query)), all.size());
    const auto end = std::min(all.size(), first + query.limit);
    JsonList out;
    for (auto i = first; i < end; ++i) {
        const auto& one = all[i];
        out.add("{\"purpose\":" + json_string(one.purpose) + ",\"channel\":" +
                json_string(one.channel) + ",\"identifier\":{" + CDP_TRY(names.name_of(one.token)) +
                "},\"as_one\":" + decided(one.as_one) + ",\"apart\":" + decided(one.apart) + "}");
    }
    return "\"differences\":" + out.str() + ",\"next\":" +
           (end < all.size() ? "\"" + cursor_to(kQuestion, ByteWriter().u64(end).str()) + "\""
                             : std::string("null"));
}

Result<void> check_words(const consent::Policy& policy, const AuditQuery& query) {
    if (!query.purpose.empty() && !policy.find_purpose(query.purpose))
        return refuse("purpose_unknown", "No such purpose is configured.", "/purpose");
    if (!query.channel.empty() && !policy.find_channel(query.channel))
        return refuse("channel_unknown", "No such channel is configured.", "/channel");
    CDP_TRY(read_place(query.page));
    return Result<void>::ok();
}

// What is compared, and in which words.
struct Case {
    const char* today = "one";
    const char* compares = "unmerge";
    std::string merge = "null";
    Sides sides = {};
    const char* reason = nullptr;  // why there is nothing to compare
};

Result<Case> case_of(const AuditSources& sources, People::Reading reading, const AuditedPerson& a,
                     const AuditedPerson& b) {
    if (a.asked == b.asked) return Case{.reason = "same_identifier"};
    if (a.id != b.id || a.members != b.members) {
        auto sides = CDP_TRY(joined(sources, reading, a.asked, b.asked));
        return Case{.today = "two", .compares = "merge", .sides = std::move(sides)};
    }
    const auto merge =
        CDP_TRY(last_merge(sources.graph, reading.snapshot, reading.transaction, a.asked, b.asked));
    if (!merge) return Case{.reason = "never_two"};
    Case found;
    found.merge = CDP_TRY(merge_json(*merge));
    found.sides = CDP_TRY(split_again(sources, reading, a.asked, *merge));
    return found;
}

}  // namespace

Result<Shown> audit_merges(const AuditSources& sources, const AuditQuery& query) {
    const auto in_force = sources.policies.now();
    const auto& policy = *in_force.policy;
    CDP_CHECK(check_words(policy, query));
    const auto snapshot = sources.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto a = CDP_TRY(audited_person(sources, reading, query.a, "a"));
    const auto b = CDP_TRY(audited_person(sources, reading, query.b, "b"));
    if (a.members.size() + b.members.size() > 2 * kComparedMax) return too_many();
    const auto found = CDP_TRY(case_of(sources, reading, a, b));
    const auto& sides = found.sides;
    if (sides.whole.size() > kComparedMax) return too_many();
    Comparison comparison(policy, sides, sources.clock.now());
    for (const auto& purpose : policy.purposes)
        for (const auto& channel : policy.channels)
            if ((query.purpose.empty() || purpose.name == query.purpose) &&
                (query.channel.empty() || channel.id == query.channel))
                comparison.compare(purpose.name, channel.id);
    Members others = sides.whole;
    std::erase_if(others, [&](const auto& member) {
        return std::ranges::find(sides.compared, member.token) != sides.compared.end();
    });
    const StoredNames names(sources.vault, *snapshot);
    std::string out = "{\"a\":{" + CDP_TRY(person_members(sources, reading, a)) + "},\"b\":{" +
                      CDP_TRY(person_members(sources, reading, b)) + "},\"today\":\"" +
                      found.today + "\",\"compares\":\"" + found.compares +
                      "\",\"merge\":" + found.merge;
    if (found.reason) out += std::string(",\"reason\":\"") + found.reason + "\"";
    out += ",\"policy_version\":" + hex_json(consent::view(in_force.version)) +
           ",\"side_a\":" + CDP_TRY(identifiers_json(names, sides.a)) +
           ",\"side_b\":" + CDP_TRY(identifiers_json(names, sides.b)) +
           ",\"of_neither\":" + CDP_TRY(identifiers_json(names, others)) +
           ",\"widened\":" + std::to_string(comparison.widened()) +
           ",\"narrowed\":" + std::to_string(comparison.narrowed()) + "," +
           CDP_TRY(page_json(names, comparison, query.page)) + "}";
    return Shown(std::move(out), {.identifiers = {a.asked, b.asked}, .persons = {a.id, b.id}});
}

}  // namespace cdp
