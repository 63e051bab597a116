#include "tests/cdp/backup_world.h"
#include "tests/cdp/retention_world.h"

// A backup holds what has expired since. Restored, nobody sees it, and the next run takes it away.

namespace {

using namespace tests::retention;
using namespace tests;

// On a folder that was restored, with rules.
struct Restored : PlatformWorld {
    Restored(const std::string& path, const std::string& keyring, const cdp::Config& config)
        : PlatformWorld(config, open_folder(path)) {
        vault_of(*this, keyring);
    }
};

}  // namespace

TEST_CASE("what has expired since a backup is shown by nothing after it is restored",
          "[backup][retention]") {
    const auto config =
        retaining({{What::type, "track", {0, 90}, ""}, {What::trait, "plan", {0, 90}, ""}});
    BackedUp world;
    send(world,
         {{"type", "identify"}, {"userId", "u1"}, {"traits", {{"plan", "gold"}, {"tier", "t"}}}},
         "i1", "2026-11-01T10:00:00Z");
    send(world, {{"type", "track"}, {"event", "Secret Visit"}, {"userId", "u1"}}, "t1",
         "2026-11-01T11:00:00Z");
    world.create();
    world.restore();

    Restored again(world.target(), world.keyring(), config);
    const auto sees = [&](std::string_view what) {
        std::string all = again.profile("desk", "user_id", "u1", "service").dump();
        all += again.timeline("desk", "user_id", "u1", {.purpose = "service"}).dump();
        for (const auto& event : again.exported(cdp::ExportKind::events)) all += event.dump();
        return all.find(what) != std::string::npos;
    };
    CHECK((sees("gold") && sees("Secret Visit")));
    again.clock().set("2027-03-01T00:00:00Z");
    // Before any run, and from the first moment.
    CHECK_FALSE(sees("gold"));
    CHECK_FALSE(sees("Secret Visit"));
    CHECK(sees("\"t\""));
    CHECK(state(again)["rules"][0]["due"]["events"] == 1);
    CHECK(gone(pruned(again), "events") == 1);
    CHECK(state(again)["rules"][0]["due"]["events"] == 0);
    CHECK_FALSE(sees("gold"));
    CHECK(sees("\"t\""));
}
