#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cdp/base/assert.h"
#include "consent/decision.h"

// A small world in words, so that the tables below can be read by somebody who reads no C++.
//
// A history is a list of `DAY WHO STATE [person|identifier|device] [by ORIGIN] [until DAY] [for
// PURPOSE] [to CHANNEL] [of LABEL] [over N] [confirms N] [confirm_by DAY] [due DAY] [in PLACE]
// [young] [unproven]`, split by `;`; N counts the answers from 1. Left out: the default scope of
// the state, `by server`, and the purpose that is asked for. A datum is `WHO[=WHO][@DAY][!]`: under
// whom it was collected, which identifier it is, when it was captured (today), and `!` for a source
// of trust server.
namespace tests {

inline cdp::Timestamp day(int n) {
    return cdp::timestamp_of(n * 86'400'000LL);
}

inline cdp::Token token(std::string_view name) {
    cdp::Token token;
    std::ranges::copy(name.substr(0, 16), token.bytes.begin());
    return token;
}

inline cdp::RecordId record_id(std::uint64_t n) {
    cdp::RecordId id;
    for (int i = 0; i < 8; ++i)
        id.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(n >> (56 - 8 * i));
    return id;
}

// One human: a browser, an e-mail address, a phone number, an account, a loyalty card, and a
// browser in a shop that others use too.
inline std::vector<consent::Member> members() {
    const auto member = [](const char* name, const char* type) {
        return consent::Member{.token = token(name), .type = type};
    };
    auto all = std::vector{member("cookie", "anonymous_id"), member("mail", "email"),
                           member("phone", "phone"),         member("account", "user_id"),
                           member("card", "loyalty_id"),     member("kiosk", "anonymous_id")};
    all[1].contact = all[2].contact = true;
    all[3].account = true;
    all[5].shared = true;
    return all;
}

// `tool` sends text messages. Korea has nights and reminders, France wants grants confirmed, and
// the United States have laxer rules than California.
inline consent::Policy policy() {
    using enum consent::Regime;
    auto policy = consent::default_policy();
    policy.purposes = {{.name = "ads",
                        .regime = person_opt_in,
                        .regimes = {{{"US"}, {}, person_opt_out},
                                    {{"US-CA"}, {}, person_opt_in},
                                    {{"US-CA"}, {"other"}, person_opt_out}}},
                       {.name = "ads/social", .regime = person_opt_in},
                       {.name = "scoring",
                        .regime = person_opt_out,
                        .regimes = {{{"KR"}, {}, person_opt_in}, {{"FR"}, {}, legal_obligation}},
                        .message_class = consent::MessageClass::service},
                       {.name = "news", .regime = identifier_opt_in, .target_types = {"email"}},
                       {.name = "orders", .regime = contract},
                       {.name = "tax", .regime = legal_obligation},
                       {.name = "unused", .regime = person_opt_in}};
    policy.channels = {{.id = "tool",
                        .purposes = {"ads", "scoring", "news", "orders", "tax"},
                        .medium = consent::Medium::sms},
                       {.id = "other", .purposes = {"ads"}, .medium = consent::Medium::email}};
    policy.reconfirmations = {
        {.jurisdiction = "KR", .every = std::chrono::days(3)},
        {.jurisdiction = "FR", .every = std::chrono::days(3), .or_deny = true}};
    return consent::check(policy).value();
}

inline consent::Fact fact(std::istringstream words, const std::string& purpose, std::uint64_t n,
                          std::string& who) {
    int when = 0;
    std::string state, word, next;
    words >> when >> who >> state;
    consent::Fact fact{.id = record_id(n), .purpose = purpose};
    fact.state = consent::parse_state(state).value();
    fact.scope =
        consent::is_denial(fact.state) ? consent::Scope::person : consent::Scope::identifier;
    fact.origin = consent::Origin::server;
    fact.time = fact.received = day(when);
    while (words >> word) {
        if (word == "young") fact.unguarded = consent::AgeBand::under_13;
        if (word == "unproven") fact.unproven = true;
        if (word == "young" || word == "unproven") continue;
        if (const auto scope = consent::parse_scope(word)) {
            fact.scope = *scope;
            continue;
        }
        words >> next;
        if (word == "by")
            fact.origin = consent::parse_origin(next).value();
        else if (word == "until")
            fact.valid_until = day(std::stoi(next));
        else if (word == "for")
            fact.purpose = next;
        else if (word == "to")
            fact.channels.push_back(next);
        else if (word == "of")
            fact.labels.push_back(next);
        else if (word == "over")
            fact.overrides.push_back(record_id(std::stoull(next)));
        else if (word == "confirms")
            fact.request = record_id(std::stoull(next));
        else if (word == "confirm_by")
            fact.confirm_by = day(std::stoi(next));
        else if (word == "due")
            fact.reconfirm_due = day(std::stoi(next));
        else if (word == "in")
            fact.jurisdiction = next;
        else
            CDP_ASSERT(false);
    }
    return fact;
}

inline std::vector<consent::Member> with_history(const std::string& history,
                                                 const std::string& purpose) {
    auto all = members();
    std::istringstream lines(history);
    std::string line;
    for (std::uint64_t n = 1; std::getline(lines, line, ';'); ++n) {
        std::string who;
        auto said = fact(std::istringstream(line), purpose, n, who);
        const auto member = std::ranges::find(all, token(who), &consent::Member::token);
        CDP_ASSERT(member != all.end());
        member->facts.push_back(std::move(said));
    }
    return all;
}

inline consent::Datum datum(std::string text, int today) {
    consent::Datum datum{.captured = day(today)};
    if (text.ends_with('!')) {
        datum.from_server = true;
        text.pop_back();
    }
    if (const auto at = text.find('@'); at != std::string::npos) {
        datum.captured = day(std::stoi(text.substr(at + 1)));
        text.resize(at);
    }
    if (const auto is = text.find('='); is != std::string::npos) {
        datum.value = token(text.substr(is + 1));
        text.resize(is);
    }
    datum.home = token(text);
    return datum;
}

inline consent::Decision decide(const std::string& history, const std::string& purpose,
                                const std::string& what, int today,
                                const std::string& channel = "tool") {
    const consent::Question question{.purpose = purpose, .channel = channel, .now = day(today)};
    return consent::Judge(policy(), with_history(history, purpose), question)
        .decide(datum(what, today));
}

inline std::string ask(const std::string& history, const std::string& purpose,
                       const std::string& what, int today, const std::string& channel = "tool") {
    return std::string(to_string(decide(history, purpose, what, today, channel).reason));
}

}  // namespace tests
