#include "cdp/access.h"

#include <catch2/catch.hpp>
#include <set>

#include "storage/memory_store.h"

namespace {

std::unique_ptr<cdp::Access> load(storage::Store& store, const storage::Vault& vault) {
    auto loaded = cdp::Access::load(store, vault);
    REQUIRE(loaded);
    return *std::move(loaded);
}

struct World {
    std::unique_ptr<storage::Store> store = storage::make_memory_store();
    storage::Vault vault{storage::Keyring::generate()};
    std::unique_ptr<cdp::Access> access = load(*store, vault);
};

const cdp::Timestamp kNow = cdp::timestamp_of(1'700'000'000'000);

cdp::Principal source(std::string name, cdp::Trust trust = cdp::Trust::client) {
    return {.role = cdp::Role::source, .name = std::move(name), .channel = {}, .trust = trust};
}

}  // namespace

TEST_CASE("a key is in force when add returns, and after a restart") {
    World world;
    const auto key = world.access->add(source("web", cdp::Trust::server), kNow).value();
    CHECK(world.access->find(key)->name == "web");

    const auto again = load(*world.store, world.vault);
    const auto found = again->find(key);
    REQUIRE(found);
    CHECK(found->role == cdp::Role::source);
    CHECK(found->trust == cdp::Trust::server);
    CHECK_FALSE(again->find(key.substr(1) + "a"));
    CHECK_FALSE(again->find(""));
}

TEST_CASE("a key is c and 24 letters or digits, and never the same twice") {
    World world;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto key = world.access->add(source("web"), kNow).value();
        CHECK(key.size() == 25);
        CHECK(key.front() == 'c');
        CHECK(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == key.npos);
        seen.insert(key);
    }
    CHECK(seen.size() == 100);
    CHECK(world.access->principals().size() == 1);
}

TEST_CASE("no row of the store holds a key") {
    World world;
    const auto key = world.access->add(source("web"), kNow).value();
    bool found = false;
    CHECK(world.store->snapshot()->scan({}, {}, [&](std::string_view k, std::string_view v) {
        found = found || k.find(key) != k.npos || v.find(key) != v.npos;
        return true;
    }));
    CHECK_FALSE(found);
}

TEST_CASE("a source keeps one trust and a channel name one channel") {
    World world;
    CHECK(world.access->add(source("web"), kNow));
    const auto other = world.access->add(source("web", cdp::Trust::server), kNow);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == cdp::ErrorCode::conflict);

    cdp::Principal tool{.role = cdp::Role::channel, .name = "tool", .channel = "email_tool"};
    CHECK(world.access->add(tool, kNow));
    tool.channel = "ads_tool";
    CHECK_FALSE(world.access->add(tool, kNow));
}

TEST_CASE("names, channels and trust are checked where they belong") {
    struct Row {
        cdp::Principal principal;
        const char* reason;
    };
    using cdp::Role;
    const auto row = GENERATE(values<Row>({
        {{.role = Role::source, .name = "", .channel = {}}, "malformed_name"},
        {{.role = Role::source, .name = "Web", .channel = {}}, "malformed_name"},
        {{.role = Role::source, .name = "a b", .channel = {}}, "malformed_name"},
        {{.role = Role::source, .name = std::string(65, 'a'), .channel = {}}, "malformed_name"},
        {{.role = Role::channel, .name = "tool", .channel = {}}, "channel_required"},
        {{.role = Role::source, .name = "web", .channel = "x"}, "channel_unexpected"},
        {{.role = Role::admin, .name = "root", .channel = {}, .trust = cdp::Trust::server},
         "trust_unexpected"},
    }));
    World world;
    const auto added = world.access->add(row.principal, kNow);
    REQUIRE_FALSE(added);
    CHECK(added.error().reason == row.reason);
}

TEST_CASE("role names go both ways") {
    for (const auto* name : {"source", "channel", "officer", "steward", "admin"})
        CHECK(to_string(*cdp::parse_role(name)) == name);
    CHECK_FALSE(cdp::parse_role("root"));
}
