#include "identity/assertion.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "tests/identity/oracle.h"
#include "tests/identity/stored.h"
#include "tests/support/seeds.h"

namespace {

using identity::Assertion;
using identity::AssertionKind;
using identity::Observation;
using tests::AllAtOnce;
using tests::IdentityWorld;
using tests::members_of;
using tests::Stored;

// Something that may be said of identifiers that were seen; some of it is refused.
Assertion random_assertion(const std::vector<Observation>& seen, cdp::Random& random) {
    const auto token = [&] {
        const auto& sightings = seen[random.below(seen.size())].sightings;
        return sightings[random.below(sightings.size())].token;
    };
    Assertion out;
    out.kind = static_cast<AssertionKind>(1 + random.below(5));
    out.said = {"steward:somebody", "they said so", {}};
    switch (out.kind) {
        case AssertionKind::must_link:
        case AssertionKind::cannot_link: out.identifiers = {token(), token()}; break;
        case AssertionKind::block:
        case AssertionKind::shared: out.identifiers = {token()}; break;
        case AssertionKind::retract:
            if (random.one_in(2)) {
                const auto& two = seen[random.below(seen.size())].sightings;
                if (two.size() > 1) out.identifiers = {two[0].token, two[1].token};
            }
            out.range.first_day = static_cast<std::int32_t>(random.below(100));
            out.range.last_day = out.range.first_day + static_cast<std::int32_t>(random.below(40));
            if (out.identifiers.empty() || random.one_in(2))
                out.range.source = static_cast<std::uint32_t>(1 + random.below(3));
            break;
    }
    return out;
}

// Worlds as they were and narrow ones.
identity::Bounds bounds_of(std::uint64_t seed) {
    return seed % 2 == 0 ? identity::Bounds{} : identity::Bounds{6, 9};
}

}  // namespace

TEST_CASE("what is stored is the fold of all evidence and of what stands asserted") {
    const auto seed = GENERATE(tests::seeds(80));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world(bounds_of(seed));
    Stored stored(world);
    std::vector<Observation> events;
    std::vector<Assertion> standing;
    for (int step = 0; step < 40; ++step) {
        CAPTURE(step);
        const auto turn = events.empty() ? 0 : random.below(4);
        if (turn < 2) {
            events.push_back(world.random_observation(random));
            stored.observe(events.back());
        } else if (turn == 2) {
            auto said = random_assertion(events, random);
            if (stored.say(said).empty()) {
                said.id = stored.last();
                if (std::ranges::find(standing, said.id, &Assertion::id) == standing.end())
                    standing.push_back(said);
            }
        } else if (!standing.empty()) {
            const auto at =
                standing.begin() + static_cast<std::ptrdiff_t>(random.below(standing.size()));
            REQUIRE(stored.revoke(at->id).empty());
            standing.erase(at);
        }
        const auto places = stored.places();
        const auto expected = AllAtOnce(world, events, standing).places();
        INFO(tests::difference(places, expected));
        REQUIRE(places == expected);
        REQUIRE(stored.members() == members_of(places));
    }
}

TEST_CASE("saying and revoking anything leaves everything as if it had never been said") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world(bounds_of(seed));
    const auto events = world.random_observations(random, 30);
    Stored untouched(world);
    Stored touched(world);
    std::vector<identity::AssertionId> said;
    for (const auto& event : events) {
        untouched.observe(event);
        touched.observe(event);
        if (random.one_in(3) && touched.say(random_assertion(events, random)).empty())
            said.push_back(touched.last());
    }
    tests::shuffle(said, random);
    for (const auto& id : said) touched.revoke(id);  // one may have been found twice
    INFO(tests::difference(touched.places(), untouched.places()));
    CHECK(touched.places() == untouched.places());
    CHECK(touched.evidence() == untouched.evidence());
    for (const auto& [token, node] : touched.nodes()) CHECK_FALSE(node.asserted);
}

TEST_CASE("a link that is retracted is as if it had never been seen, also when it is sent again") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world(bounds_of(seed));
    auto events = world.random_observations(random, 30);
    // What one source said in ten days, without its links.
    const identity::Retraction range{2, 20, 29};
    Stored without(world);
    for (auto event : events) {
        const bool taken = range.covers(event.source, cdp::day_of(event.time));
        if (!taken) {
            without.observe(event);
            continue;
        }
        for (const auto& sighting : event.sightings)
            without.observe({{sighting}, {}, event.time, event.source});
    }
    Stored retracted(world);
    for (const auto& event : events) retracted.observe(event);
    Assertion assertion;
    assertion.kind = AssertionKind::retract;
    assertion.range = range;
    REQUIRE(retracted.say(assertion).empty());
    // Alias candidates that nothing supports stay known.
    for (const auto& [token, place] : without.places())
        CHECK(retracted.places().at(token).anchor == place.anchor);
    const auto after = retracted.places();
    tests::shuffle(events, random);
    for (const auto& event : events) retracted.observe(event);
    CHECK(retracted.places() == after);
}

TEST_CASE("who was parted by a retraction is one again when seen together on another day") {
    const IdentityWorld world;
    const auto address = world.sighting("email", "e@shop.example");
    const auto cookie = world.sighting("anonymous_id", "a");
    // Links are stored in rows of 64 days: both days are of one.
    const auto together = [&](int day) {
        return Observation{{address, cookie}, {}, cdp::timestamp_of(day * 86'400'000LL), 2};
    };
    Stored stored(world);
    stored.observe(together(20));
    Assertion assertion;
    assertion.kind = AssertionKind::retract;
    assertion.range = {2, 20, 29};
    REQUIRE(stored.say(assertion).empty());
    CHECK(stored.places().at(cookie.token).anchor == cookie.token);
    stored.observe(together(40));
    CHECK(stored.places().at(cookie.token).anchor == address.token);
    CHECK(stored.places() == AllAtOnce(world, {together(20), together(40)}, {assertion}).places());
}

TEST_CASE("what contradicts, names nobody or takes nothing is refused and changes nothing") {
    const IdentityWorld world;
    Stored stored(world);
    const auto user = world.sighting("user_id", "u1");
    const auto other = world.sighting("user_id", "u2");
    const auto cookie = world.sighting("anonymous_id", "a1");
    stored.observe({{user, cookie}, {}, cdp::timestamp_of(0), 1});
    stored.observe({{other}, {}, cdp::timestamp_of(0), 1});
    const auto before = stored.places();
    const auto say = [&](AssertionKind kind, std::vector<cdp::Token> tokens) {
        Assertion assertion;
        assertion.kind = kind;
        assertion.identifiers = std::move(tokens);
        return stored.say(assertion);
    };
    CHECK(say(AssertionKind::must_link, {user.token, user.token}) == "same_identifier");
    CHECK(say(AssertionKind::cannot_link, {user.token, user.token}) == "same_identifier");
    CHECK(say(AssertionKind::block, {world.vault().token("user_id", "never")}) ==
          "identifier_unknown");
    CHECK(say(AssertionKind::retract, {user.token, other.token}) == "retracts_nothing");
    CHECK(stored.revoke({}) == "assertion_unknown");
    CHECK(stored.places() == before);

    CHECK(say(AssertionKind::cannot_link, {user.token, cookie.token}).empty());
    const auto first = stored.last();
    CHECK(say(AssertionKind::must_link, {cookie.token, user.token}) == "contradicts_assertion");
    CHECK(say(AssertionKind::cannot_link, {user.token, cookie.token}).empty());
    CHECK(stored.last() == first);  // it stands already
    CHECK(stored.revoke(first).empty());
    CHECK(stored.revoke(first) == "already_revoked");
    CHECK(say(AssertionKind::shared, {cookie.token}).empty());
    CHECK(say(AssertionKind::must_link, {cookie.token, user.token}) == "identifier_shared");
}

TEST_CASE("two accounts are one person when somebody says so, and two again when it is revoked") {
    const IdentityWorld world;
    Stored stored(world);
    const auto one = world.sighting("user_id", "u1");
    const auto two = world.sighting("user_id", "u2");
    stored.observe({{one, world.sighting("anonymous_id", "a1")}, {}, cdp::timestamp_of(0), 1});
    stored.observe({{two, world.sighting("anonymous_id", "a2")}, {}, cdp::timestamp_of(0), 1});
    const auto before = stored.places();
    Assertion assertion;
    assertion.kind = AssertionKind::must_link;
    assertion.identifiers = {one.token, two.token};
    REQUIRE(stored.say(assertion).empty());
    CHECK(stored.places().at(one.token).anchor == stored.places().at(two.token).anchor);
    const auto merged = stored.changes();
    REQUIRE_FALSE(merged.empty());
    CHECK(merged.back().kind == identity::ChangeKind::merged);
    CHECK(merged.back().identifiers == 2);
    REQUIRE(stored.revoke(stored.last()).empty());
    CHECK(stored.places() == before);
    CHECK(stored.changes().back().kind == identity::ChangeKind::split);
    CHECK(stored.changes().back().cause.assertion == stored.last());
}

TEST_CASE("every identifier's person can be told for every moment") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world(bounds_of(seed));
    Stored stored(world);
    std::vector<Observation> events;
    std::vector<std::pair<cdp::Timestamp, tests::Places>> moments;
    for (int step = 0; step < 30; ++step) {
        events.push_back(world.random_observation(random));
        stored.observe(events.back());
        if (random.one_in(4)) stored.say(random_assertion(events, random));
        moments.emplace_back(stored.now(), stored.places());
    }
    const auto nodes = stored.nodes();
    const auto snapshot = stored.store().snapshot();
    storage::Transaction reading(*snapshot, storage::kPartition);
    for (const auto& [at, places] : moments)
        for (const auto& [token, place] : places) {
            const auto& node = nodes.at(token);
            const auto row = reading.get(identity::member_key(node.anchor, token));
            REQUIRE(row);
            std::optional<cdp::PersonId> person;
            if (*row && *identity::decode_since(**row) <= at) {
                person = node.person();
            } else {
                const auto earlier = identity::person_at(reading, token, at);
                REQUIRE(earlier);
                person = *earlier;
            }
            std::optional<cdp::PersonId> expected;
            if (place.active) expected = cdp::PersonId{nodes.at(place.anchor).rank.bytes};
            CHECK(person == expected);
            if (!person || *person == node.person()) continue;
            const auto former = identity::former_members(reading, *person, at);
            REQUIRE(former);
            CHECK(std::ranges::find(*former, token) != former->end());
        }
}

TEST_CASE("limits of how many values a person has hold in every order") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    IdentityWorld world(bounds_of(seed));
    // Half for ever, half within a month.
    for (const char* name : {"email", "anonymous_id", "shop.badge"}) {
        auto type = world.types().find(name);
        type.limit = static_cast<std::uint16_t>(1 + random.below(2));
        if (seed % 4 < 2) type.limit_window_days = 30;
        world.types().set(type);
    }
    Stored stored(world);
    std::vector<Observation> events;
    for (int step = 0; step < 40; ++step) {
        events.push_back(world.random_observation(random));
        stored.observe(events.back());
        const auto expected = AllAtOnce(world, events).places();
        INFO(tests::difference(stored.places(), expected));
        REQUIRE(stored.places() == expected);
    }
}

TEST_CASE("a change of rules folds everything afresh, and the old rules bring the old persons") {
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random{seed};
    IdentityWorld world(bounds_of(seed));
    Stored stored(world);
    const auto events = world.random_observations(random, 40);
    for (const auto& event : events) stored.observe(event);
    REQUIRE(stored.upkeep().catch_up({}));
    const auto before = stored.places();
    CHECK(stored.upkeep().catch_up({})->identifiers == 0);

    const auto old = world.types().find("anonymous_id");
    auto strict = old;
    strict.shared_at_accounts = 0;
    strict.contacts_max = 1;
    world.types().set(strict);
    auto windowed = world.types().find("email");
    windowed.limit = 1;
    windowed.limit_window_days = 30;
    world.types().set(windowed);
    const auto progress = stored.upkeep().catch_up({});
    REQUIRE(progress);
    CHECK(progress->identifiers >= before.size());
    const auto expected = AllAtOnce(world, events).places();
    INFO(tests::difference(stored.places(), expected));
    CHECK(stored.places() == expected);

    world.types() = identity::IdentifierTypes::defaults();
    REQUIRE(stored.upkeep().catch_up({}));
    CHECK(stored.places() == before);
}
