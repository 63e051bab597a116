#include <catch2/catch.hpp>

#include "api/clock.h"
#include "api/command_line.h"
#include "storage/data_dir.h"
#include "tests/api/folder_world.h"
#include "tests/storage/trusted_time.h"

namespace {

using namespace tests;
using nlohmann::json;
using days = std::chrono::days;

// A data folder whose clock is years ahead.
std::string new_data_ahead(const Folder& folder) {
    const auto data = folder / "data";
    REQUIRE(storage::create_data_dir({.path = data, .keyring_path = {}}));
    set_back(data + "/time", days(3650));
    return data;
}

std::string metric(const FolderWorld& world, const std::string& name) {
    const auto body = world.ask_here({.target = "/metrics"});
    const auto at = body.find("\n" + name + " ");
    if (at == std::string::npos) return "none";
    const auto value = at + name.size() + 2;
    return body.substr(value, body.find('\n', value) - value);
}

}  // namespace

TEST_CASE("a clock that is not believed is told, and an operator's word has it believed") {
    const Folder folder;
    FolderWorld world(new_data_ahead(folder));
    const auto ready = world.ask("GET", "/readyz", "");
    CHECK(ready.status == 200);
    CHECK(ready.json()["clock"] == "not_believed");
    CHECK(metric(world, "cdp_clock_believed") == "0");
    CHECK(std::stod(metric(world, "cdp_clock_ahead_seconds")) >= 3650.0 * 86'400);
    auto standing = json::parse(world.ask_here({.target = "/v1/clock"}));
    CHECK(standing["believed"] == false);
    CHECK(standing["ahead_seconds"] >= 3650 * 86'400);
    CHECK(standing["trusted"].get<std::string>() < standing["clock"].get<std::string>());

    standing = json::parse(world.ask_here({.method = "POST", .target = "/v1/clock/accept"}));
    CHECK(standing["believed"] == true);
    CHECK(standing["ahead_seconds"] == 0);
    CHECK(world.ask("GET", "/readyz", "").body == "{\"status\":\"ready\"}\n");
    CHECK(metric(world, "cdp_clock_believed") == "1");
}

TEST_CASE("the verb accepts the clock of a folder that is served, and of one that is not") {
    const Folder folder;
    const auto data = new_data_ahead(folder);
    const auto believed = [&] {
        const auto opened = api::open_folder(data);
        REQUIRE(opened);
        return storage::trusted_time_of(*opened->store)->standing().believed;
    };
    {
        const FolderWorld world(data);
        CHECK(api::show_clock(data, /*json=*/true) == api::kDone);
        CHECK(api::accept_clock(data, /*json=*/false) == api::kDone);
    }
    CHECK(believed());
    set_back(data + "/time", days(3650));
    CHECK_FALSE(believed());
    CHECK(api::show_clock(data, /*json=*/false) == api::kDone);
    CHECK_FALSE(believed());
    CHECK(api::accept_clock(data, /*json=*/true) == api::kDone);
    CHECK(believed());
}

TEST_CASE("what is served from memory keeps no time of its own") {
    const World world;
    const auto& admin = world.keys.at(cdp::Role::admin);
    CHECK(world.get("/v1/clock", admin).code() == "no_clock");
    CHECK(world.post("/v1/clock/accept", admin, "").code() == "no_clock");
}

TEST_CASE("a disk that is low says so where it is asked") {
    const Folder folder;
    FolderWorld world(folder / "data");
    CHECK(metric(world, "cdp_disk_low") == "none");
    world.files().space().keep(
        {.bytes = std::numeric_limits<std::uint64_t>::max(), .percent_max = 100});
    CHECK(world.ask("GET", "/readyz", "").code() == "disk_low");
    CHECK(metric(world, "cdp_disk_low") == "1");
    const auto key = world.key(cdp::Role::source);
    const auto refused =
        world.ask("POST", "/v1/track", key, R"({"event":"x","userId":"u","messageId":"m"})");
    CHECK(refused.status == 507);
    CHECK(refused.code() == "disk_low");
    CHECK(metric(world, "cdp_scrub_damaged_tables") == "0");
    CHECK(metric(world, "cdp_store_compaction_pending_bytes") == "0");
    CHECK(metric(world, "cdp_store_writes_slowed") == "0");
}
