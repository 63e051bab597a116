#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/audit.h"
#include "consent/policy.h"
#include "consent/sha256.h"
#include "tests/consent/oracle.h"

// What happened, as somebody who only watched would write it down: the known answers.
namespace tests {

using cdp::Timestamp;
using Names = std::set<std::string>;  // identifiers as type:value

inline cdp::AuditSubject subject_of(const std::string& name) {
    const auto colon = name.find(':');
    return {name.substr(0, colon), name.substr(colon + 1)};
}

inline bool is_contact(const std::string& name) {
    return name.starts_with("email:") || name.starts_with("phone:");
}

// One word about consent: a record when it has an id, else the stamp of a signal.
struct WordSaid {
    std::string id = {};
    std::string under = {};
    std::string purpose = {};
    std::string state = {};
    Timestamp time{};
    Timestamp received{};
    std::string actor = "api";
    bool proven = false;
    std::string version = {};  // of the notice
    std::string jurisdiction = {};
    std::vector<std::string> overrides = {};
    bool of_minor = false;
    std::string guardian = {};
    std::string guardian_record = {};
    std::string signal = {};
    std::string raw = {};
    bool whole_person = true;

    bool refuses() const { return state != "granted"; }
    bool is_powerless() const { return !refuses() && actor == "import" && !proven; }
    bool speaks_of(const std::string& asked) const { return purpose == asked || purpose == "*"; }
};

// What a channel was told: the body it was given.
struct BodyGiven {
    Timestamp time{};
    std::string channel = {};
    std::string purpose = {};  // empty: its feed of withdrawals
    std::string asked = {};
    Names left = {};      // section/name
    Names withheld = {};  // name/reason, as the body says it
    std::string decision = {};

    bool tells_something() const {
        return std::ranges::any_of(
            left, [](const std::string& one) { return !one.starts_with("persons/"); });
    }
};

struct Joined {
    Timestamp time{};
    std::string a = {};
    std::string b = {};
};

struct LookedAt {
    Timestamp time{};
    std::string whom = {};
    std::string reason = {};
};

// A channel's dealing with the withdrawal that was received then.
struct TookNote {
    Timestamp time{};
    std::string channel = {};
    Timestamp received{};
};

struct Gone {
    Timestamp time{};
    Names names = {};
    Names channels = {};  // that had something
};

// What somebody asked of their data.
struct Asked {
    std::string id = {};
    std::string law = {};
    std::string status = {};
    Timestamp due{};
    std::string steps = {};
};

struct Unknown {
    std::string kind = {};
    std::string name = {};
    std::string home = {};
    Timestamp time{};
};

struct History {
    consent::Policy policy = {};
    Timestamp now{};
    std::vector<std::pair<std::string, Timestamp>> names = {};  // and since when
    std::vector<WordSaid> said = {};
    std::vector<BodyGiven> given = {};
    std::vector<Joined> joined = {};
    std::vector<LookedAt> looked = {};
    std::vector<TookNote> told = {};
    std::vector<TookNote> noted = {};
    std::vector<Gone> gone = {};
    std::vector<Asked> asked = {};
    std::vector<Unknown> unmapped = {};

    bool is_gone(const std::string& name) const {
        return std::ranges::any_of(gone, [&](const Gone& one) { return one.names.contains(name); });
    }

    // Who it was at a time, by what had happened by then.
    Names person(const std::string& name, Timestamp at = Timestamp::max()) const {
        Names all{name};
        for (bool grown = true; grown;) {
            grown = false;
            for (const auto& one : joined)
                if (one.time <= at && all.contains(one.a) != all.contains(one.b)) {
                    all.insert({one.a, one.b});
                    grown = true;
                }
        }
        return all;
    }

    // Everybody who is still there, by what they are called first.
    std::map<std::string, Names> persons() const {
        std::map<std::string, Names> out;
        for (const auto& [name, since] : names) {
            if (is_gone(name)) continue;
            auto all = person(name);
            const auto first = *all.begin();
            out.emplace(first, std::move(all));
        }
        return out;
    }

    // As the oracle of the rules wants it; an id of one's own for each stamp.
    std::vector<consent::Member> members(const Names& whose, Timestamp known_at,
                                         Timestamp as_of) const {
        std::vector<consent::Member> out;
        for (const auto& name : whose) {
            consent::Member member{.token = token_of(name),
                                   .type = subject_of(name).type,
                                   .contact = is_contact(name),
                                   .account = name.starts_with("user_id:")};
            for (std::size_t i = 0; i < said.size(); ++i)
                if (said[i].under == name && is_remembered(said[i]) &&
                    said[i].received <= known_at &&
                    (said[i].time <= as_of || said[i].received <= as_of))
                    member.facts.push_back(fact_of(i));
            out.push_back(std::move(member));
        }
        return out;
    }

    std::string reason(const std::vector<consent::Member>& whose, const std::string& purpose,
                       const std::string& channel, const std::string& name, Timestamp as_of) const {
        const auto token = token_of(name);
        consent::Datum datum{.home = token, .captured = as_of};
        if (is_contact(name)) datum.value = token;
        return std::string(
            to_string(Oracle(policy, whose, {.purpose = purpose, .channel = channel, .now = as_of})
                          .decide(datum)));
    }

    std::vector<std::pair<std::string, std::string>> uses() const {
        std::vector<std::pair<std::string, std::string>> out;
        for (const auto& purpose : policy.purposes)
            for (const auto& channel : policy.channels)
                if (std::ranges::count(channel.purposes, purpose.name) > 0)
                    out.emplace_back(purpose.name, channel.id);
        return out;
    }

    // The last word under an identifier, without those that count for nothing.
    const WordSaid* last_word(const std::string& name, const std::string& purpose,
                              Timestamp at = Timestamp::max()) const {
        std::vector<const WordSaid*> all;
        for (const auto& one : said)
            if (one.under == name && one.speaks_of(purpose) && one.time <= at &&
                one.received <= at && !is_taken_back(one))
                all.push_back(&one);
        std::ranges::stable_sort(all, {}, [](const WordSaid* one) { return one->time; });
        const WordSaid* last = nullptr;
        for (const auto* one : all)
            if (!(one->is_powerless() && last && last->refuses())) last = one;
        return last;
    }

    bool is_taken_back(const WordSaid& denial) const {
        return denial.refuses() && !denial.id.empty() &&
               std::ranges::any_of(said, [&](const WordSaid& one) {
                   return denial.time < one.time && std::ranges::count(one.overrides, denial.id);
               });
    }

    // A day's repetitions of a stamp are one.
    bool is_repetition(const WordSaid& stamp) const {
        return stamp.id.empty() && std::ranges::any_of(said, [&](const WordSaid& one) {
                   return one.id.empty() && one.time < stamp.time && one.under == stamp.under &&
                          one.purpose == stamp.purpose && one.state == stamp.state &&
                          one.raw == stamp.raw && cdp::day_of(one.time) == cdp::day_of(stamp.time);
               });
    }

    // When a stamp was repeated matters on a day on which the opposite was said too, and no other.
    bool is_remembered(const WordSaid& word) const {
        return !is_repetition(word) || std::ranges::any_of(said, [&](const WordSaid& one) {
            return one.under == word.under && one.speaks_of(word.purpose) &&
                   one.refuses() != word.refuses() &&
                   cdp::day_of(one.time) == cdp::day_of(word.time);
        });
    }

    static cdp::Token token_of(const std::string& name) {
        return cdp::Token::from(consent::short_id(name).view());
    }

private:
    consent::Fact fact_of(std::size_t place) const {
        const auto& one = said[place];
        const auto id = [](const std::string& hex) {
            return cdp::RecordId::from(*cdp::from_hex(hex));
        };
        consent::Fact fact{
            .id = one.id.empty() ? consent::short_id(std::to_string(place)) : id(one.id),
            .purpose = one.purpose,
            .state = *consent::parse_state(one.state),
            .scope = one.whole_person ? consent::Scope::person : consent::Scope::device,
            .origin = one.id.empty() ? consent::Origin::client_stamp : consent::Origin::server,
            .time = one.time,
            .received = one.received,
            .unproven = one.is_powerless(),
            .jurisdiction = one.jurisdiction};
        for (const auto& hex : one.overrides) fact.overrides.push_back(id(hex));
        if (one.of_minor && one.guardian_record.empty())
            fact.unguarded = consent::AgeBand::under_13;
        return fact;
    }
};

}  // namespace tests
