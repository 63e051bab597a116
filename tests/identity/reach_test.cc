#include "identity/reach.h"

#include <catch2/catch.hpp>

#include "identity/neighbourhood.h"
#include "tests/identity/stored.h"
#include "tests/support/seeds.h"

namespace {

using identity::Observation;
using tests::IdentityWorld;
using tests::Stored;

// Everything around one identifier, and whom it leads to.
class From {
public:
    From(Stored& stored, const cdp::Token& start)
        : snapshot_(stored.store().snapshot()), transaction_(*snapshot_, storage::kPartition) {
        auto rules = stored.graph().rules(transaction_);
        REQUIRE(rules);
        rules_ = std::move(*rules);
        near_.emplace(transaction_, rules_);
        REQUIRE(near_->load({&start, 1}));
        start_ = *near_->find(start);
    }

    std::set<cdp::Token> led_to(const std::set<std::uint32_t>& believed) const {
        const auto reached = identity::reach(near_->folded(), {&start_, 1}, believed);
        std::set<cdp::Token> out;
        for (std::size_t i = 0; i < reached.size(); ++i)
            if (reached[i]) out.insert(near_->members()[i].token);
        return out;
    }
    std::set<cdp::Token> person() const { return around(false); }
    std::set<cdp::Token> person_and_shared() const { return around(true); }

private:
    std::set<cdp::Token> around(bool shared) const {
        const auto folded = near_->folded();
        const auto& partition = folded.partition;
        std::set<cdp::Token> out;
        for (std::size_t i = 0; i < partition.anchor.size(); ++i)
            if (partition.anchor[i] == partition.anchor[start_] || (shared && partition.shared[i]))
                out.insert(near_->members()[i].token);
        return out;
    }

    std::unique_ptr<storage::Snapshot> snapshot_;
    storage::Transaction transaction_;
    identity::Rules rules_;
    std::optional<identity::Neighbourhood> near_;
    std::uint32_t start_ = 0;
};

struct World : IdentityWorld {
    Stored stored{*this};

    cdp::Token seen(std::uint32_t source, const std::string& type, const std::string& value,
                    const std::string& other_type, const std::string& other) {
        Observation out;
        out.sightings = {sighting(type, value), sighting(other_type, other)};
        out.time = cdp::timestamp_of(1'000);
        out.source = source;
        stored.observe(out);
        return out.sightings[0].token;
    }
    cdp::Token token(const std::string& type, const std::string& value) const {
        return vault().token(type, value);
    }
};

constexpr std::uint32_t kPage = 1;  // anybody's
constexpr std::uint32_t kTill = 2;  // believed
const std::set<std::uint32_t> kBelieved{kTill};

}  // namespace

TEST_CASE("an address leads to an account only by the word of who is believed") {
    World world;
    const auto address = world.seen(kPage, "email", "a@shop.example", "user_id", "u1");
    CHECK(From(world.stored, address).person().size() == 2);
    CHECK(From(world.stored, address).led_to(kBelieved) == std::set{address});
    world.seen(kTill, "email", "a@shop.example", "user_id", "u1");
    CHECK(From(world.stored, address).led_to(kBelieved) ==
          std::set{address, world.token("user_id", "u1")});
}

TEST_CASE("a cookie is followed whoever said it, and leads nobody to an account by that word") {
    World world;
    const auto address = world.seen(kPage, "email", "a@shop.example", "anonymous_id", "c1");
    const auto account = world.seen(kPage, "user_id", "u1", "anonymous_id", "c1");
    const auto cookie = world.token("anonymous_id", "c1");
    CHECK(From(world.stored, address).person().size() == 3);
    CHECK(From(world.stored, address).led_to(kBelieved) == std::set{address, cookie});
    CHECK(From(world.stored, account).led_to(kBelieved) == std::set{account, cookie});
    // Not even when it is the account's beyond doubt: somebody may have chosen it for them.
    world.seen(kTill, "user_id", "u1", "anonymous_id", "c1");
    CHECK(From(world.stored, address).led_to(kBelieved) == std::set{address, cookie});
    CHECK(From(world.stored, cookie).led_to(kBelieved) == std::set{account, cookie});
}

TEST_CASE("beside a visitor nobody's word for an address is taken, unless it was verified") {
    World world;
    const auto cookie = world.seen(kTill, "anonymous_id", "c1", "email", "a@shop.example");
    CHECK(From(world.stored, cookie).led_to(kBelieved) == std::set{cookie});
    Observation both;
    both.sightings = {world.sighting("email", "a@shop.example", true),
                      world.sighting("phone", "+4915112300077", true)};
    both.source = kTill;
    world.stored.observe(both);
    const auto phone = world.token("phone", "+4915112300077");
    CHECK(From(world.stored, phone).led_to(kBelieved).contains(both.sightings[0].token));
}

TEST_CASE("what is shared is met when it was verified, and leads no further") {
    World world;
    for (const char* user : {"u1", "u2", "u3"})
        world.seen(kPage, "user_id", user, "email", "a@shop.example");
    const auto address = world.token("email", "a@shop.example");
    const auto account = world.token("user_id", "u1");
    CHECK(From(world.stored, account).led_to(kBelieved) == std::set{account});
    world.seen(kTill, "user_id", "u1", "email", "a@shop.example");
    CHECK(From(world.stored, account).led_to(kBelieved) == std::set{account});
    Observation verified;
    verified.sightings = {world.sighting("user_id", "u1"),
                          world.sighting("email", "a@shop.example", true)};
    verified.source = kTill;
    world.stored.observe(verified);
    CHECK(From(world.stored, account).led_to(kBelieved) == std::set{account, address});
    CHECK(From(world.stored, address).led_to({kPage, kTill}) == std::set{address});
}

TEST_CASE("an address that was said of several persons' records is believed of none, unverified") {
    World world;
    const auto account = world.seen(kTill, "user_id", "u1", "email", "a@shop.example");
    const auto address = world.token("email", "a@shop.example");
    world.seen(kTill, "user_id", "u1", "loyalty_id", "l1");
    world.seen(kTill, "loyalty_id", "l1", "email", "a@shop.example");
    CHECK(From(world.stored, account).led_to(kBelieved).contains(address));
    world.seen(kTill, "user_id", "u2", "email", "a@shop.example");
    REQUIRE(From(world.stored, address).person().size() == 3);
    CHECK_FALSE(From(world.stored, account).led_to(kBelieved).contains(address));
    CHECK_FALSE(From(world.stored, address).led_to(kBelieved).contains(account));
}

TEST_CASE("an address leads to its hash and back, and an assertion is believed") {
    World world;
    const auto hash = identity::sha256_hex("a@shop.example");
    const auto address = world.seen(kPage, "email", "a@shop.example", "anonymous_id", "c1");
    const auto account = world.seen(kTill, "user_id", "u1", "email_sha256", hash);
    CHECK(From(world.stored, address).led_to(kBelieved).contains(account));

    const auto badge = world.seen(kPage, "shop.badge", "b1", "user_id", "u1");
    CHECK_FALSE(From(world.stored, badge).led_to(kBelieved).contains(account));
    REQUIRE(world.stored
                .say({.kind = identity::AssertionKind::must_link, .identifiers = {badge, account}})
                .empty());
    CHECK(From(world.stored, badge).led_to(kBelieved).contains(account));
}

TEST_CASE(
    "nobody is led beyond their person but to what is shared, and by nobody's word to the least") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    World world;
    std::set<cdp::Token> all;
    for (const auto& one : world.random_observations(random, 30)) {
        world.stored.observe(one);
        for (const auto& sighting : one.sightings) all.insert(sighting.token);
    }
    for (const auto& token : all) {
        const From from(world.stored, token);
        const auto by_all = from.led_to({1, 2, 3});
        const auto by_nobody = from.led_to({});
        CHECK(std::ranges::includes(from.person_and_shared(), by_all));
        // Some of them contradict each other, but none takes away what needs nobody's word.
        CHECK(std::ranges::includes(by_all, by_nobody));
        CHECK(by_nobody.contains(token));
    }
}
