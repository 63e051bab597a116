#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "cdp/base/random.h"
#include "identity/hashed.h"
#include "tests/cdp/suppression_world.h"
#include "tests/support/seeds.h"

// A suppression of an address, or of a hash of one, stands where 0030 says and nowhere else, and
// ends there, whoever came and went meanwhile.

namespace {

using namespace tests;
using nlohmann::json;
using Reason = consent::SuppressionReason;
using Scope = consent::SuppressionScope;

const std::string kAddress = "late@shop.example";

std::string sha256(const std::string& text) {
    return identity::sha256_hex(text);
}

struct World : PlatformWorld {
    World() : PlatformWorld(lawful_config()) {}

    std::string arrive(const std::string& user, const std::string& address) {
        return send_one(R"({"type":"identify","userId":")" + user + R"(","messageId":"m)" +
                            std::to_string(++sent_) + R"(","timestamp":")" +
                            cdp::format_time(clock().now()) + R"(","traits":{"email":")" + address +
                            R"("}})",
                        source("till", cdp::Trust::server));
    }

    bool in_force(const std::string& type, const std::string& value) {
        const auto snapshot = store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto stand = cdp::Suppressions::of(transaction, vault().token(type, value));
        REQUIRE(stand);
        return std::ranges::any_of(*stand,
                                   [&](const auto& one) { return one.in_force(clock().now()); });
    }

private:
    int sent_ = 0;
};

}  // namespace

TEST_CASE("a hash's suppression ends also under the address of who was erased since",
          "[suppression]") {
    World world;
    const auto made = suppress(world, "email_sha256", sha256(kAddress), Reason::bounced);
    world.arrive("u1", kAddress);
    REQUIRE(world.in_force("email", kAddress));
    REQUIRE(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    CHECK(world.in_force("email", kAddress));
    CHECK(lift(world, made["id"])["status"] == "revoked");
    CHECK_FALSE(world.in_force("email", kAddress));
    world.clock().advance(std::chrono::hours(1));
    CHECK(world.arrive("u2", kAddress) == "accepted");
    world.consent("email", kAddress, "email_marketing", "granted");
    CHECK(decided(world, "email", kAddress)["outcome"] == "allow");
    CHECK(faults(world) == "");
}

TEST_CASE("who was erased for ever under a hash's suppression stays so", "[suppression]") {
    World world;
    const auto made = suppress(world, "email_sha256", sha256(kAddress), Reason::deceased);
    world.arrive("u1", kAddress);
    REQUIRE(erase(world, {.type = "user_id", .value = "u1"})["status"] == "completed");
    CHECK(lift(world, made["id"])["error"] == "person_erased");
    CHECK(world.in_force("email", kAddress));
}

TEST_CASE("an address is not suppressed by a hash that it shares with one that is",
          "[suppression]") {
    World world;
    const bool known = GENERATE(false, true);
    if (known) world.arrive("u1", "ab@gmail.com");
    const auto made = suppress(world, "email", "a.b@gmail.com", Reason::bounced);
    if (!known) world.arrive("u1", "ab@gmail.com");
    CHECK_FALSE(world.in_force("email", "ab@gmail.com"));
    CHECK(world.in_force("email_sha256", sha256("ab@gmail.com")));
    CHECK(lift(world, made["id"])["status"] == "revoked");
    CHECK_FALSE(world.in_force("email_sha256", sha256("ab@gmail.com")));
    // Its hash is another matter: whoever named that meant every address that has it.
    const auto hash = suppress(world, "email_sha256", sha256("ab@gmail.com"), Reason::bounced);
    for (const auto* address : {"ab@gmail.com", "a.b@gmail.com"}) {
        if (address != std::string("ab@gmail.com")) world.arrive("u2", address);
        CHECK(world.in_force("email", address));
    }
    CHECK(lift(world, hash["id"])["status"] == "revoked");
    for (const auto* address : {"ab@gmail.com", "a.b@gmail.com"})
        CHECK_FALSE(world.in_force("email", address));
}

TEST_CASE("the same of an address and of its hash are two, and each ends by itself",
          "[suppression]") {
    World world;
    world.arrive("u1", kAddress);
    const bool address_first = GENERATE(true, false);
    const auto of_address = [&] { return suppress(world, "email", kAddress, Reason::complaint); };
    const auto of_hash = [&] {
        return suppress(world, "email_sha256", sha256(kAddress), Reason::complaint);
    };
    const auto first = address_first ? of_address() : of_hash();
    const auto second = address_first ? of_hash() : of_address();
    CHECK(second["made"] == true);
    CHECK(of_address()["made"] == false);
    CHECK(of_hash()["made"] == false);
    CHECK(lift(world, first["id"])["status"] == "revoked");
    CHECK(decided(world, "email", kAddress)["reason"] == "suppressed");
    CHECK(lift(world, second["id"])["status"] == "revoked");
    CHECK(decided(world, "email", kAddress)["reason"] != "suppressed");
}

TEST_CASE("in any order what is suppressed stands under each form of it until it is revoked",
          "[suppression]") {
    const auto seed = GENERATE(tests::seeds(40));
    CAPTURE(seed);
    cdp::Random random{seed};
    World world;
    const std::array<std::string, 4> addresses{"a.b@gmail.com", "ab@gmail.com", "ab+x@gmail.com",
                                               "c@shop.example"};
    std::map<std::string, std::set<std::string>> hashes;  // of each address
    std::set<std::string> all_hashes;
    for (const auto& address : addresses)
        for (const auto& form : identity::hashed_forms(identity::Form::email, address)) {
            hashes[address].insert(form.hex);
            all_hashes.insert(form.hex);
        }
    std::map<std::string, std::string> active;  // id -> what was named
    std::set<std::string> present;
    const auto names = [&](const std::string& value) {
        return std::ranges::any_of(active, [&](const auto& one) { return one.second == value; });
    };
    const auto check = [&] {
        for (const auto& address : addresses) {
            const bool by_hash = std::ranges::any_of(hashes[address], names);
            CAPTURE(address);
            // Of an address that nobody has the hash alone is known.
            if (present.contains(address))
                CHECK(world.in_force("email", address) == (names(address) || by_hash));
            else
                CHECK((!world.in_force("email", address) || names(address) || by_hash));
        }
        for (const auto& hash : all_hashes) {
            const bool by_address = std::ranges::any_of(addresses, [&](const auto& address) {
                return hashes[address].contains(hash) && names(address);
            });
            CHECK(world.in_force("email_sha256", hash) == (names(hash) || by_address));
        }
    };
    for (int step = 0; step < 25; ++step) {
        world.clock().advance(std::chrono::minutes(1));
        const auto& address = addresses[random.below(addresses.size())];
        const auto& some = hashes[address];
        const auto hash = *std::next(some.begin(), static_cast<long>(random.below(some.size())));
        switch (random.below(6)) {
            case 0:
            case 1: {
                const bool by_hash = random.one_in(2);
                const auto& value = by_hash ? hash : address;
                const auto made =
                    suppress(world, by_hash ? "email_sha256" : "email", value, Reason::bounced);
                CHECK(made["made"] == !names(value));
                active[made["id"]] = value;
                break;
            }
            case 2:
                if (active.empty()) break;
                CHECK(lift(world, active.begin()->first)["status"] == "revoked");
                active.erase(active.begin());
                break;
            case 3:
                if (erase(world, {.type = "user_id", .value = "of " + address})["status"] ==
                    "completed")
                    present.erase(address);
                break;
            default:
                CHECK(world.arrive("of " + address, address) == "accepted");
                present.insert(address);
        }
        check();
    }
    CHECK(faults(world) == "");
    while (!active.empty()) {
        CHECK(lift(world, active.begin()->first)["status"] == "revoked");
        active.erase(active.begin());
    }
    check();
    CHECK(faults(world) == "");
    world.restart(lawful_config());
    check();
}
