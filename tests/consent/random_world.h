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

inline consent::Fact random_fact(cdp::Random& random, const std::string& purpose) {
    using consent::Scope;
    using consent::State;
    consent::Fact fact{.id = record_id(random.next() % 1000), .purpose = purpose};
    if (random.one_in(6))
        fact.purpose = pick<std::string>(random, {"ads", "ads/social", "ads/social/video", "news",
                                                  "scoring", "unused", "elsewhere"});
    if (random.one_in(8)) fact.channels.push_back(random.one_in(2) ? "tool" : "other");
    fact.state = pick<State>(random, {State::granted, State::granted, State::granted, State::denied,
                                      State::withdrawn, State::objected});
    fact.scope = pick<Scope>(random, {Scope::identifier, Scope::device, Scope::person});
    fact.origin = static_cast<consent::Origin>(1 + random.below(4));
    fact.time = day(random_day(random));
    if (random.one_in(5)) fact.valid_until = fact.time + std::chrono::days(1 + random.below(4));
    return fact;
}

struct RandomWorld {
    consent::Question question;
    std::vector<consent::Member> members;
};

inline RandomWorld random_world(cdp::Random& random, const std::vector<std::string>& purposes) {
    RandomWorld world;
    world.question = {
        .purpose = pick(random, purposes), .channel = "tool", .now = day(random_day(random))};
    world.members = members();
    for (auto facts = random.below(10); facts > 0; --facts)
        pick<consent::Member*>(random, {&world.members[0], &world.members[1], &world.members[2],
                                        &world.members[3], &world.members[4], &world.members[5]})
            ->facts.push_back(random_fact(random, world.question.purpose));
    return world;
}

inline consent::Datum random_datum(cdp::Random& random,
                                   const std::vector<consent::Member>& members) {
    consent::Datum datum{.home = pick(random, members).token};
    if (random.one_in(2)) datum.value = pick(random, members).token;
    datum.from_server = random.one_in(2);
    datum.captured = day(random_day(random));
    return datum;
}

}  // namespace tests
