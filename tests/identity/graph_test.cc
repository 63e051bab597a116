#include "identity/graph.h"

#include <algorithm>
#include <set>
#include <span>

#include <catch2/catch.hpp>

#include "tests/identity/oracle.h"
#include "tests/identity/stored.h"
#include "tests/support/seeds.h"

namespace {

using identity::Observation;
using tests::AllAtOnce;
using tests::IdentityWorld;
using tests::members_of;
using tests::Place;
using tests::Stored;

}  // namespace

TEST_CASE("what is stored after every event is the fold of all evidence so far") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    // Half the worlds are so narrow that classes of links are cut.
    const IdentityWorld world(seed % 2 == 0 ? identity::Bounds{} : identity::Bounds{6, 9});
    const auto all = world.random_observations(random, 40);
    Stored stored(world);
    std::vector<Observation> so_far;
    for (const auto& observation : all) {
        stored.observe(observation);
        so_far.push_back(observation);
        const auto places = stored.places();
        const auto expected = AllAtOnce(world, so_far).places();
        INFO(tests::difference(places, expected));
        REQUIRE(places == expected);
        REQUIRE(stored.members() == members_of(places));
    }
}

TEST_CASE("any order, repetition and delay of the same events gives the same persons") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    // Half the worlds are so narrow that classes of links are cut.
    const IdentityWorld world(seed % 2 == 0 ? identity::Bounds{} : identity::Bounds{6, 9});
    const auto events = world.random_observations(random, 10 + random.below(40));
    Stored in_order(world);
    for (const auto& event : events) in_order.observe(event);
    const auto places = in_order.places();
    const auto evidence = in_order.evidence();

    for (int permutation = 0; permutation < 20; ++permutation) {
        CAPTURE(permutation);
        auto other = events;
        for (std::size_t n = random.below(20); n > 0; --n)
            other.push_back(events[random.below(events.size())]);
        tests::shuffle(other, random);
        Stored shuffled(world);
        for (std::span<const Observation> rest = other; !rest.empty();) {
            const auto together = std::min<std::size_t>(rest.size(), 1 + random.below(5));
            shuffled.observe_together(rest.first(together));
            rest = rest.subspan(together);
        }
        INFO(tests::difference(shuffled.places(), places));
        REQUIRE(shuffled.places() == places);
        REQUIRE(shuffled.evidence() == evidence);
        REQUIRE(shuffled.members() == members_of(places));
    }
}

TEST_CASE("two streams that have nothing in common give the product of their results") {
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world;
    const auto left = world.random_observations(random, 30);
    const auto right = world.random_observations(random, 30, "other-");
    Stored only_left(world);
    Stored only_right(world);
    Stored both(world);
    for (std::size_t i = 0; i < left.size(); ++i) {
        only_left.observe(left[i]);
        only_right.observe(right[i]);
        both.observe_together(std::vector{right[i], left[i]});
    }
    auto product = only_left.places();
    product.merge(only_right.places());
    CHECK(both.places() == product);
}

TEST_CASE("nobody has two accounts") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world;
    Stored stored(world);
    for (const auto& event : world.random_observations(random, 80)) stored.observe(event);
    const auto places = stored.places();
    std::map<cdp::Token, int> accounts;
    for (int u = 0; u < 5; ++u) {
        const auto at = places.find(world.vault().token("user_id", "u" + std::to_string(u)));
        if (at != places.end() && at->second.active) ++accounts[at->second.anchor];
    }
    for (const auto& [anchor, n] : accounts) CHECK(n == 1);
}

TEST_CASE("an event that says nothing new needs no fold") {
    const IdentityWorld world;
    Stored stored(world);
    Observation event{{world.sighting("user_id", "u1"), world.sighting("anonymous_id", "a1")},
                      {},
                      cdp::timestamp_of(86'400'000),
                      1};
    CHECK(stored.observe(event));
    CHECK_FALSE(stored.observe(event));
    event.sightings[1] = world.sighting("anonymous_id", "a2");  // a new cookie joins the account
    CHECK_FALSE(stored.observe(event));
    event.sightings[0] = world.sighting("user_id", "u2");  // the cookie is seen with a second one
    CHECK(stored.observe(event));
    const auto places = stored.places();
    CHECK(places.at(world.vault().token("anonymous_id", "a2")).shared);
    CHECK_FALSE(places.at(world.vault().token("anonymous_id", "a1")).shared);
}

TEST_CASE("an alias names a cookie unless the name was seen as an account") {
    const IdentityWorld world;
    Stored stored(world);
    const auto user = [&](const char* id) { return world.vault().token("user_id", id); };
    const auto cookie = [&](const char* id) { return world.vault().token("anonymous_id", id); };
    stored.observe({{world.sighting("user_id", "u1")},
                    identity::Observation::Alias{world.sighting("user_id", "x"),
                                                 world.sighting("anonymous_id", "x")},
                    cdp::timestamp_of(0),
                    1});
    CHECK(stored.places().at(cookie("x")) == Place{.anchor = user("u1")});
    CHECK_FALSE(stored.places().at(user("x")).active);

    stored.observe({{world.sighting("user_id", "x")}, {}, cdp::timestamp_of(0), 1});
    CHECK_FALSE(stored.places().at(cookie("x")).active);
    CHECK(stored.places().at(user("x")) == Place{.anchor = user("x")});  // two accounts stay two
}

TEST_CASE("an e-mail address seen with three accounts is nobody's") {
    const IdentityWorld world;
    Stored stored(world);
    for (const char* id : {"u1", "u2", "u3"}) {
        const auto before = stored.places();
        const auto email = before.find(world.vault().token("email", "e@shop.example"));
        if (email != before.end()) CHECK_FALSE(email->second.shared);
        stored.observe({{world.sighting("user_id", id), world.sighting("email", "e@shop.example")},
                        {},
                        cdp::timestamp_of(0),
                        1});
    }
    const auto email = world.vault().token("email", "e@shop.example");
    CHECK(stored.places().at(email) == Place{.anchor = email, .shared = true});
}

TEST_CASE("a value that a thousand others were seen with names nobody") {
    const IdentityWorld world;
    Stored stored(world);
    const auto badge = world.sighting("shop.badge", "everybody");
    const auto see = [&](std::uint32_t n) {
        stored.observe({{badge, world.sighting("anonymous_id", "a" + std::to_string(n))},
                        {},
                        cdp::timestamp_of(0),
                        1});
    };
    for (std::uint32_t n = 0; n < identity::kNeighboursMax; ++n) see(n);
    CHECK_FALSE(stored.places().at(badge.token).shared);
    see(identity::kNeighboursMax);
    const auto places = stored.places();
    CHECK(places.at(badge.token).shared);
    const auto cookie = world.vault().token("anonymous_id", "a0");
    CHECK(places.at(cookie).anchor == cookie);
}

TEST_CASE("an account's own address stays with it when two accounts share a phone") {
    // Whatever the ranks of the values: each seed has other ones.
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    const IdentityWorld world;
    Stored stored(world);
    const auto name = [&](const char* prefix) { return prefix + std::to_string(seed); };
    const auto phone = world.sighting("phone", name("+49"));
    for (const char* who : {"a", "b"})
        stored.observe({{world.sighting("user_id", name(who)),
                         world.sighting("email", name(who) + "@shop.example"), phone},
                        {},
                        cdp::timestamp_of(0),
                        1});
    const auto places = stored.places();
    for (const char* who : {"a", "b"}) {
        const auto account = world.vault().token("user_id", name(who));
        CHECK(places.at(world.vault().token("email", name(who) + "@shop.example")).anchor ==
              account);
    }
}
