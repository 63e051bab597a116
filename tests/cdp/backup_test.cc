#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <set>

#include "cdp/policy_versions.h"
#include "cdp/privacy.h"
#include "cdp/rebuild.h"
#include "cdp/scrub.h"
#include "cdp/told_erasures.h"
#include "cdp/tombstones.h"
#include "storage/memory_store.h"
#include "tests/cdp/backup_world.h"
#include "tests/support/seeds.h"

// A restored folder is the one that was backed up, without who was erased since; what is not whole
// is no backup, and no folder.

namespace {

using namespace tests;
namespace fs = std::filesystem;
using nlohmann::json;

// Without what tells when it was asked.
Picture seen_in(PlatformWorld& world) {
    auto out = picture(world);
    for (auto& profile : out.profiles) profile.erase("ledger_size");
    return out;
}

std::string differing_folds(PlatformWorld& world, const std::string& keyring) {
    const auto scratch = storage::make_memory_store();
    const storage::Vault vault(storage::read_keyring(keyring).value());
    const auto config = open_config();
    cdp::Rebuild rebuild({world.store(), world.vault(), *scratch, vault, config, world.clock()},
                         {});
    const auto rebuilt = rebuild.check();
    if (!rebuilt) return rebuilt.error().reason;
    std::string differing;
    for (const auto& fold : rebuilt->found)
        if (fold.all() > 0) differing += std::string(fold.fold) + " ";
    return differing;
}

std::string ledger_fault(PlatformWorld& world) {
    const auto checked =
        world.platform().check_ledger([](std::string_view, std::uint64_t) { return true; });
    if (!checked) return checked.error().reason;
    return checked->fault ? checked->fault->why : "";
}

void publish(PlatformWorld& world) {
    while (world.platform().ledger().publish(world.clock().now()).value()) continue;
}

// Whom the row of a tombstone alone names.
std::string spaces_naming(PlatformWorld& world, const cdp::Token& token) {
    std::set<char> spaces;
    REQUIRE(world.store().snapshot()->scan(std::string(2, '\0'), "", [&](auto key, auto value) {
        if (key.find(token.view()) != key.npos || value.find(token.view()) != value.npos)
            spaces.insert(key[2]);
        return true;
    }));
    return {spaces.begin(), spaces.end()};
}
const std::string kTombstone(1, static_cast<char>(storage::Space::tombstone));

std::string user(std::uint64_t n) {
    return R"({"type":"identify","userId":"u)" + std::to_string(n) + R"(","messageId":"m)" +
           std::to_string(n) + R"(","timestamp":"2026-11-20T10:00:00Z","traits":{"email":"e)" +
           std::to_string(n) + R"(@shop.example"}})";
}

struct Small : BackedUp {
    explicit Small(std::uint64_t users = 3) {
        for (std::uint64_t n = 0; n < users; ++n) send_one(user(n));
        REQUIRE(platform().policies().adopt());  // an entry of the ledger
        publish(*this);
    }
};

std::vector<std::string> files_under(const std::string& path) {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(path))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

}  // namespace

TEST_CASE("a restored folder answers as the one did, without who was erased since", "[backup]") {
    const auto seed = GENERATE(seeds(12));
    CAPTURE(seed);
    cdp::Random random(seed);
    BackedUp world;
    const auto events = random_events(random, 40);
    const auto half = 10 + random.below(20);
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (i == half) world.create();
        send(world, events[i]);
    }
    publish(world);
    world.create();
    for (auto left = random.below(4); left > 0; --left) {
        if (world.exported(cdp::ExportKind::persons).empty()) break;
        const auto subject = random_subject(random, world);
        const auto erased = world.platform().privacy().erasures.erase(
            PlatformWorld::officer(), "officer:kim",
            {.type = subject.type,
             .value = subject.value,
             .scope =
                 random.one_in(4) ? cdp::ErasureScope::identifier : cdp::ErasureScope::person});
        if (!erased) REQUIRE(erased.error().reason == "identifier_shared");
        world.backups.tell_erasures();
    }
    // Then whoever was erased cannot be read in the backup either.
    const bool epoch_ends = random.one_in(2);
    if (epoch_ends) world.end_epoch();
    world.restore();
    RestoredWorld restored(world.target(), world.keyring());
    const auto is = seen_in(restored);
    const auto should = seen_in(world);
    CHECK(is.persons == should.persons);
    CHECK(is.links == should.links);
    CHECK(is.events == should.events);
    CHECK(is.profiles == should.profiles);
    CHECK(differing_folds(restored, world.keyring()) == "");
    publish(restored);
    CHECK(ledger_fault(restored) == "");
    CHECK(restored.send_one(user(77)) == "accepted");
    // What was erased there does not come back here.
    for (const auto& sent : events)
        CHECK(restored.send_one(sent.event.dump(), PlatformWorld::source(sent.source)) ==
              world.send_one(sent.event.dump(), PlatformWorld::source(sent.source)));
    const auto scrubbed = cdp::scrub(restored.store(), restored.vault(),
                                     [](std::string_view, std::uint64_t) { return true; });
    REQUIRE(scrubbed);
    CAPTURE(cdp::render(*scrubbed));
    CHECK(scrubbed->whole());
}

TEST_CASE("what a repository has is not copied again", "[backup]") {
    Small world(20);
    const auto first = world.create();
    CHECK(first.copied_files == first.manifest.files.size());
    CHECK(first.manifest.tree_size > 0);
    world.send_one(user(100));
    const auto second = world.create();
    CHECK(second.copied_files < second.manifest.files.size());
    // The first is whole all the same.
    const auto checked =
        cdp::check_backups(world.repo(), "", world.keyring(), BackedUp::go_on).value();
    REQUIRE(checked.size() == 2);
    for (const auto& one : checked) CHECK(one.faults.empty());
    CHECK(world.restore(world.request(first.manifest.id)).manifest == first.manifest);
    CHECK(
        RestoredWorld(world.target(), world.keyring()).exported(cdp::ExportKind::persons).size() ==
        20);
}

TEST_CASE("nothing in a repository names anybody", "[backup]") {
    Small world;
    world.create();
    world.erase("user_id", "u1");
    for (const auto& path : files_under(world.repo()))
        CHECK(read_file(path).find("shop.example") == std::string::npos);
}

TEST_CASE("who is erased while a backup is made does not come back with it", "[backup]") {
    Small world(8);
    std::uint64_t steps = 0;
    world.create([&](std::string_view, std::uint64_t, std::uint64_t) {
        if (steps < 8) world.erase("user_id", "u" + std::to_string(steps++));
        return true;
    });
    REQUIRE(steps >= 4);
    const auto restored = world.restore();
    CHECK(restored.erasures_done + restored.erasures_known == steps);
    RestoredWorld again(world.target(), world.keyring());
    CHECK(again.exported(cdp::ExportKind::persons).size() == 8 - steps);
    for (std::uint64_t n = 0; n < steps; ++n) {
        CHECK(spaces_naming(again, again.vault().token("user_id", "u" + std::to_string(n))) ==
              kTombstone);
        CHECK(again.send_one(user(n)) == "suppressed");
    }
}

TEST_CASE("a repository that is away is told of erasures when it is back", "[backup]") {
    Small world;
    world.create();
    fs::rename(world.repo(), world.folder / "away");
    world.erase("user_id", "u0");
    CHECK(cdp::count_owed(*world.store().snapshot(), world.vault(), world.repo()).value() == 1);
    fs::rename(world.folder / "away", world.repo());
    // From the backup alone nobody knows; the data folder does.
    auto asked = world.request();
    CHECK(world.restore(asked).erasures_done == 0);
    world.erase("user_id", "u1");
    CHECK(cdp::count_owed(*world.store().snapshot(), world.vault(), world.repo()).value() == 0);
    asked.target = world.folder / "second";
    const auto restored = world.restore(asked);
    CHECK(restored.erasures_done == 2);
    CHECK(RestoredWorld(asked.target, world.keyring()).exported(cdp::ExportKind::persons).size() ==
          1);
}

TEST_CASE("the former data folder is another source of erasures", "[backup]") {
    std::string left;
    {
        Small world;
        world.create();
        fs::rename(world.repo(), world.folder / "away");
        world.erase("user_id", "u0");
        fs::rename(world.folder / "away", world.repo());
        // What a folder on its own has beside the store.
        REQUIRE(storage::write_format(world.data(), storage::kFormat, world.keyring(),
                                      storage::read_keyring(world.keyring())->fingerprint));
        // An open database makes and removes files as it likes: it ends first.
        left = world.folder.release();
    }
    const Folder former(left);
    const auto keyring = former / "keyring";
    const auto target = former / "restored";
    const auto restored = cdp::restore({.from = former / "repo",
                                        .id = {},
                                        .target = target,
                                        .keyring_path = keyring,
                                        .erasures = former / "data",
                                        .config = open_config()},
                                       cdp::SystemClock(), BackedUp::go_on);
    if (!restored) FAIL(restored.error().reason << restored.error().detail);
    CHECK(restored->erasures_done == 1);
    CHECK(RestoredWorld(target, keyring).exported(cdp::ExportKind::persons).size() == 2);
}

TEST_CASE("the end of an epoch takes backups along, those that it reaches", "[backup]") {
    Small world;
    const auto old = world.create();
    world.erase("user_id", "u0");
    world.end_epoch();
    world.end_epoch();
    world.restore();
    const auto keyring = storage::read_keyring(world.keyring()).value();
    CHECK(keyring.epochs.begin()->first == 3);
    {
        const auto opened = storage::open_data_dir({.path = world.target(), .keyring_path = {}});
        REQUIRE(opened);
        const storage::Vault vault(opened->keyring);
        const auto snapshot = opened->store->snapshot();
        CHECK(vault.find(*snapshot, vault.token("user_id", "u1")).value());
        CHECK_FALSE(vault.find(*snapshot, vault.token("user_id", "u0")).value());
        CHECK(storage::read_epochs(*snapshot)->lowest == 3);
    }
    fs::remove_all(world.target());

    fs::rename(world.repo(), world.folder / "away");
    world.end_epoch();
    const auto state = json::parse(world.epochs.state().value());
    REQUIRE(state["backups"].size() == 1);
    CHECK(state["backups"][0]["failing"] == "backup_missing");
    CHECK(state["backups"][0]["unreadable_since"].is_string());
    fs::rename(world.folder / "away", world.repo());
    CHECK(world.restore_fails() == "backup_unreadable");
    const auto listed = json::parse(cdp::list_backups(world.repo(), world.keyring()).value());
    CHECK(listed["backups"][0]["unreadable"] == "backup_unreadable");
    // The next one can be read.
    world.create();
    CHECK(world.restore_fails(world.request(old.manifest.id)) == "backup_unreadable");
    world.restore();
}

TEST_CASE("a backup that was interrupted anywhere is none, and the next one is whole", "[backup]") {
    Small world;
    std::uint64_t steps = 0;
    bool counts = false;
    // What a process that is killed there leaves.
    world.create([&](std::string_view, std::uint64_t, std::uint64_t) {
        const auto left = world.folder / ("left-" + std::to_string(steps++));
        fs::copy(world.repo(), left, fs::copy_options::recursive);
        const auto listed = json::parse(cdp::list_backups(left, world.keyring()).value());
        counts = counts || !listed["backups"].empty();
        return true;
    });
    CHECK_FALSE(counts);
    REQUIRE(steps > 5);
    for (std::uint64_t step = 0; step < steps; step += 3) {
        CAPTURE(step);
        fs::remove_all(world.repo());
        fs::rename(world.folder / ("left-" + std::to_string(step)), world.repo());
        world.create();
        const auto checked =
            cdp::check_backups(world.repo(), "", world.keyring(), BackedUp::go_on).value();
        REQUIRE(checked.size() == 1);
        CHECK(checked[0].faults.empty());
        for (const auto& path : files_under(world.repo())) CHECK_FALSE(path.ends_with(".new"));
    }
}

TEST_CASE("a backup that is stopped at any step leaves nothing that counts", "[backup]") {
    Small world;
    for (int stop = 0;; ++stop) {
        int step = 0;
        const auto made = world.backups.create(
            world.repo(),
            [&](std::string_view, std::uint64_t, std::uint64_t) { return step++ < stop; });
        CHECK_FALSE(fs::exists(world.data() + "/backup-scratch"));
        if (made) break;
        CHECK(made.error().reason == "stopping");
        CHECK(json::parse(cdp::list_backups(world.repo(), world.keyring()).value())["backups"]
                  .empty());
        CHECK(world.restore_fails() == "backup_unknown");
    }
    world.restore();
}

TEST_CASE("a restore that is stopped at any step leaves no folder", "[backup]") {
    Small world;
    world.create();
    world.erase("user_id", "u0");
    for (int stop = 0;; ++stop) {
        std::atomic<int> step = 0;
        const auto restored = cdp::restore(
            world.request(), world.clock(),
            [&](std::string_view, std::uint64_t, std::uint64_t) { return step++ < stop; });
        if (restored) break;
        CHECK(restored.error().reason == "stopping");
        CHECK_FALSE(fs::exists(world.target()));
    }
    CHECK(
        RestoredWorld(world.target(), world.keyring()).exported(cdp::ExportKind::persons).size() ==
        2);
}

TEST_CASE("a restore that was killed left no data folder", "[backup]") {
    Small world;
    world.create();
    bool is_one = false;
    const auto restored = cdp::restore(
        world.request(), world.clock(), [&](std::string_view, std::uint64_t, std::uint64_t) {
            is_one = is_one || fs::exists(world.target() + "/FORMAT");
            return true;
        });
    REQUIRE(restored);
    CHECK_FALSE(is_one);
    CHECK(fs::exists(world.target() + "/FORMAT"));
}

TEST_CASE("a disk that takes no more leaves no folder", "[backup]") {
    Small world;
    world.create();
    // Files longer than this cannot be written, by nobody in this process.
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{.rlim_cur = 4'000, .rlim_max = before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    const auto restored = cdp::restore(world.request(), world.clock(), BackedUp::go_on);
    ::setrlimit(RLIMIT_FSIZE, &before);
    REQUIRE_FALSE(restored);
    CHECK(restored.error().reason == "storage_failed");
    CHECK_FALSE(fs::exists(world.target()));

    world.restore();
}

TEST_CASE("a backup with any byte flipped or cut is refused, and nothing is left", "[backup]") {
    Small world;
    world.create();
    world.erase("user_id", "u0");
    for (const auto& path : files_under(world.repo())) {
        CAPTURE(path);
        const auto whole = read_file(path);
        // Of tables the places where something else begins; tests/storage tries each byte.
        const auto stride = path.find("/files/") == path.npos ? 7 : whole.size() / 3 + 1;
        std::set<std::size_t> places{0, 8, 31, 32, whole.size() - 1};
        for (std::size_t at = 0; at < whole.size(); at += stride) places.insert(at);
        for (const auto at : places) {
            CAPTURE(at);
            auto other = whole;
            other[at] = static_cast<char>(other[at] ^ 4);
            write_file(path, other);
            CHECK(world.restore_fails() == "backup_damaged");
            write_file(path, whole.substr(0, at));
            CHECK(world.restore_fails() == "backup_damaged");
        }
        fs::remove(path);
        const auto missing = world.restore_fails();
        const bool record = path.find("/erasures/") != path.npos;
        const bool format = path.ends_with("/FORMAT");
        const bool manifest = path.ends_with(".manifest");
        // The last record is known by the data folder alone.
        if (!record)
            CHECK(missing == (format     ? "backup_missing"
                              : manifest ? "backup_unknown"
                                         : "backup_damaged"));
        if (record) fs::remove_all(world.target());
        write_file(path, whole);
    }
    const auto checked =
        cdp::check_backups(world.repo(), "", world.keyring(), BackedUp::go_on).value();
    CHECK(checked[0].faults.empty());
}

TEST_CASE("records of erasures that a later backup counted are missed", "[backup]") {
    Small world;
    const auto first = world.create();
    world.erase("user_id", "u0");
    world.create();
    fs::remove(world.repo() + "/erasures/000000000001");
    CHECK(world.restore_fails(world.request(first.manifest.id)) == "backup_damaged");
}

TEST_CASE("what cannot be backed up or restored says why", "[backup]") {
    Small world;
    CHECK(world.create_fails("relative") == "path_relative");
    CHECK(world.create_fails(world.data() + "/backups") == "backup_inside");
    fs::create_directory_symlink(world.data(), world.folder / "link");
    CHECK(world.create_fails(world.folder / "link/backups") == "backup_inside");
    CHECK(world.create_fails(world.data()) == "backup_inside");
    CHECK(world.create_fails(world.folder.path()) == "dir_not_empty");
    CHECK(json::parse(world.epochs.state().value())["backups"].empty());

    CHECK(world.restore_fails() == "backup_missing");
    world.create();
    CHECK(world.restore_fails(world.request("20000101T000000000Z-00000000")) == "backup_unknown");
    auto asked = world.request();
    asked.target = world.repo() + "/data";
    CHECK(world.restore_fails(asked) == "restore_inside");
    asked = world.request();
    asked.keyring_path = world.folder / "other";
    REQUIRE(storage::write_keyring(asked.keyring_path, storage::Keyring::generate()));
    CHECK(world.restore_fails(asked) == "backup_foreign");
    asked.keyring_path = world.folder / "none";
    CHECK(world.restore_fails(asked) == "keyring_missing");

    fs::create_directory(world.target());
    write_file(world.target() + "/letter", "dear");
    // The folder that is served writes on meanwhile.
    const auto before = contents(world.target()) + contents(world.repo());
    const auto full = cdp::restore(world.request(), world.clock(), BackedUp::go_on);
    CHECK(full.error().reason == "dir_not_empty");
    CHECK((contents(world.target()) + contents(world.repo()) == before));
    fs::remove(world.target() + "/letter");
    world.restore();  // an empty one is as good as none
}

TEST_CASE("who was erased since is erased by the rules of the data", "[backup]") {
    Small world;
    REQUIRE(
        world.platform().stewardship().catch_up([](const identity::Progress&) { return true; }));
    world.create();
    auto asked = world.request();
    auto cookie = asked.config.types.find("anonymous_id");
    cookie.shared_at_accounts = 7;
    asked.config.types.set(cookie);
    world.restore(asked);  // there is nobody to be erased
    fs::remove_all(world.target());
    world.erase("user_id", "u0");
    CHECK(world.restore_fails(asked) == "rules_differ");
    CHECK(world.restore().erasures_done == 1);
}
