#pragma once

#include <string>
#include <vector>

#include "cdp/base/random.h"
#include "tests/consent/world.h"

namespace tests {

inline constexpr int kDays = 8;  // few, so that ties are common

template <typename T>
T pick(cdp::Random& random, const std::vector<T>& from) {
    return from[random.below(from.size())];
}

inline int random_day(cdp::Random& random) {
    return static_cast<int>(random.below(kDays));
}

inline std::vector<std::string> random_labels(cdp::Random& random) {
    return pick<std::vector<std::string>>(random, {{"name"}, {"health"}, {"name", "health"}});
}

inline std::string random_place(cdp::Random& random) {
    return pick<std::string>(random, {"KR", "US", "US-CA", "FR", "DE"});
}

inline consent::State random_state(cdp::Random& random) {
    using enum consent::State;
    if (random.one_in(4))
        return pick<consent::State>(random, {restricted, pending_doi, expired, invalidated,
                                             reconfirmed, noticed, not_applicable});
    return pick<consent::State>(random, {granted, granted, granted, denied, withdrawn, objected});
}

inline consent::Fact random_fact(cdp::Random& random, const std::string& purpose) {
    using consent::Scope;
    using consent::State;
    consent::Fact fact{.id = record_id(random.next() >> 8), .purpose = purpose};
    if (random.one_in(5))
        fact.purpose =
            pick<std::string>(random, {"ads", "ads/social", "ads/social/video", "news", "scoring",
                                       "unused", "elsewhere", "night", "night", "*", "*"});
    if (random.one_in(8)) fact.channels.push_back(random.one_in(2) ? "tool" : "other");
    fact.state = random_state(random);
    fact.scope = pick<Scope>(random, {Scope::identifier, Scope::device, Scope::person});
    fact.origin = static_cast<consent::Origin>(1 + random.below(4));
    fact.time = day(random_day(random));
    fact.received = fact.time + std::chrono::days(random.below(3));
    if (random.one_in(5)) fact.valid_until = fact.time + std::chrono::days(1 + random.below(4));
    if (random.one_in(8)) fact.labels = random_labels(random);
    if (random.one_in(10)) fact.jurisdiction = random_place(random);
    if (random.one_in(16)) fact.reconfirm_due = fact.time + std::chrono::days(1 + random.below(4));
    if (fact.state == State::pending_doi)
        fact.confirm_by = fact.time + std::chrono::days(1 + random.below(4));
    if (fact.state == State::granted) {
        if (random.one_in(12)) fact.unguarded = static_cast<consent::AgeBand>(1 + random.below(4));
        fact.unproven = random.one_in(6);
    }
    return fact;
}

struct RandomWorld {
    consent::Question question;
    std::vector<consent::Member> members;
};

// Grants confirm what waits under their identifier, and take back denials of anybody.
inline void refer(cdp::Random& random, std::vector<consent::Member>& members) {
    std::vector<cdp::RecordId> all;
    for (const auto& member : members)
        for (const auto& fact : member.facts) all.push_back(fact.id);
    for (auto& member : members)
        for (auto& fact : member.facts) {
            if (fact.state == consent::State::granted && random.one_in(3))
                for (const auto& asked : member.facts)
                    if (asked.state == consent::State::pending_doi) fact.request = asked.id;
            const bool may = fact.state == consent::State::granted ||
                             fact.state == consent::State::not_applicable;
            if (may && random.one_in(4)) fact.overrides = {pick(random, all), pick(random, all)};
        }
}

// The six, and an address that an operator split off.
inline RandomWorld random_world(cdp::Random& random, const std::vector<std::string>& purposes) {
    RandomWorld world;
    world.question = {
        .purpose = pick(random, purposes), .channel = "tool", .now = day(random_day(random))};
    if (random.one_in(3)) {
        world.question.now += std::chrono::hours(random.below(24));
        for (auto n = 1 + random.below(2); n > 0; --n)
            world.question.jurisdictions.push_back(random_place(random));
    }
    world.members = members();
    world.members.push_back({.token = token("former"), .type = "email", .contact = true});
    world.members.back().quarantined_until_released = day(random_day(random));
    // In half of them two have said everything, so that answers meet.
    const auto all = world.members.size();
    const std::vector<std::size_t> two = {random.below(all), random.below(all)};
    const bool few = random.one_in(2);
    for (auto facts = random.below(12); facts > 0; --facts)
        world.members[few ? pick(random, two) : random.below(all)].facts.push_back(
            random_fact(random, world.question.purpose));
    refer(random, world.members);
    return world;
}

inline consent::Suppression random_suppression(cdp::Random& random) {
    using enum consent::SuppressionReason;
    consent::Suppression said{.id = record_id(random.next() >> 8)};
    said.reason = pick<consent::SuppressionReason>(
        random, {deceased, bounced, complaint, requested, legal, other});
    said.scope = random.one_in(2) ? consent::SuppressionScope::person
                                  : consent::SuppressionScope::identifier;
    said.from = day(random_day(random));
    return said;
}

// In some worlds somebody is never to be contacted again, or was for a while.
inline void suppress_some(cdp::Random& random, RandomWorld& world) {
    if (!random.one_in(4)) return;
    for (auto n = 1 + random.below(2); n > 0; --n) {
        auto said = random_suppression(random);
        if (random.one_in(3)) said.until = day(random_day(random));
        world.members[random.below(world.members.size())].suppressions.push_back(said);
    }
}

inline consent::Datum random_datum(cdp::Random& random,
                                   const std::vector<consent::Member>& members) {
    consent::Datum datum{.home = pick(random, members).token};
    if (random.one_in(2)) datum.value = pick(random, members).token;
    datum.from_server = random.one_in(2);
    datum.captured = day(random_day(random));
    static const std::vector<std::vector<std::string>> kLabels = {
        {"name"}, {"health"}, {"name", "health"}, {"place"}};
    if (!random.one_in(3)) datum.labels = kLabels[random.below(kLabels.size())];
    return datum;
}

}  // namespace tests
