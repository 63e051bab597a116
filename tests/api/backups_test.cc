#include <filesystem>

#include "api/backup_verbs.h"
#include "api/command_line.h"
#include "api/verify_verb.h"
#include "storage/backup_manifest.h"
#include "tests/api/folder_world.h"

namespace {

using namespace tests;
using cdp::Role;
using nlohmann::json;
namespace fs = std::filesystem;

std::string event(const std::string& user) {
    return R"({"type":"identify","userId":")" + user + R"(","messageId":"m-)" + user +
           R"(","timestamp":"2026-11-20T10:00:00Z","traits":{"email":")" + user +
           R"(@shop.example"}})";
}

void send(const FolderWorld& world, const std::string& key, const std::string& user) {
    REQUIRE(world.ask("POST", "/v1/batch", key, R"({"batch":[)" + event(user) + "]}").status ==
            200);
}

json last_line(const std::string& text) {
    const auto end = text.find_last_not_of('\n');
    const auto start = text.rfind('\n', end);
    return json::parse(text.substr(start == text.npos ? 0 : start + 1, end - start));
}

std::string body_to(const std::string& path) {
    return json{{"to", path}}.dump();
}

}  // namespace

TEST_CASE("a backup is made on the machine of the server, by who administers it", "[backup]") {
    const Folder folder;
    FolderWorld world(folder / "data");
    const auto repo = folder / "repo";
    for (const auto role : {Role::source, Role::channel, Role::officer, Role::steward, Role::admin})
        CHECK(world.ask("POST", "/v1/backups", world.key(role), body_to(repo)).status == 403);
    CHECK_FALSE(fs::exists(repo));
    send(world, world.key(Role::source, cdp::Trust::server), "u1");
    const auto made = last_line(
        world.ask_here({.method = "POST", .target = "/v1/backups", .body = body_to(repo)}));
    CAPTURE(made.dump());
    CHECK(storage::is_backup_id(made["result"]["id"].get<std::string>()));
    CHECK(made["result"]["erasures_owed"] == 0);
    const auto refused = [&](const std::string& body) {
        return world.ask_here({.method = "POST", .target = "/v1/backups", .body = body});
    };
    CHECK(refused(body_to("relative")) == "path_relative");
    CHECK(refused(body_to(world.data() + "/x")) == "backup_inside");
    CHECK(refused("{}") != "");
    const auto state = json::parse(world.ask_here({.target = "/v1/keys/epochs"}))["backups"];
    REQUIRE(state.size() == 1);
    CHECK(state[0]["path"] == repo);
    CHECK(state[0]["epochs"] == json{1});
    CHECK(state[0]["unreadable_since"].is_null());
}

TEST_CASE("an erasure that was answered is in the repository", "[backup]") {
    const Folder folder;
    const auto repo = folder / "repo";
    {
        FolderWorld world(folder / "data");
        const auto till = world.key(Role::source, cdp::Trust::server);
        send(world, till, "u1");
        send(world, till, "u2");
        CHECK(api::create_backup({.data = world.data(), .repository = repo}) == api::kDone);
        CHECK(world
                  .ask("POST", "/v1/privacy/erasures", world.key(Role::officer),
                       R"({"identifier":{"type":"user_id","value":"u1"}})")
                  .status == 200);
        // An end of an epoch takes the backup along.
        REQUIRE(last_line(world.ask_here({.method = "POST", .target = "/v1/keys/epochs"}))
                    .contains("result"));
        CHECK(api::verify_data(world.data(), /*json=*/true) == api::kDone);
    }
    const auto keyring = folder / "keyring";
    fs::rename(folder / "data/keyring", keyring);
    fs::remove_all(folder / "data");

    CHECK(api::list_backups({.repository = repo, .keyring = keyring}) == api::kDone);
    CHECK(api::verify_backups({.repository = repo, .keyring = keyring}) == api::kDone);
    const auto again = folder / "again";
    CHECK(api::restore_backup({.data = again, .repository = repo, .keyring = keyring}) ==
          api::kDone);
    FolderWorld world(again);
    const auto persons = world.ask("GET", "/v1/exports/persons", world.key(Role::admin)).body;
    CHECK(persons.find("u2@shop.example") != std::string::npos);
    CHECK(persons.find("u1") == std::string::npos);
    CHECK(world.ask("GET", "/v1/privacy/erasures", world.key(Role::officer)).status == 200);
    // It goes on telling where it came from.
    CHECK(api::create_backup({.data = again, .repository = repo}) == api::kDone);
}

TEST_CASE("the verbs of backups say by their exit code what is wrong", "[backup]") {
    const Folder folder;
    const auto data = folder / "data";
    const auto repo = folder / "repo";
    REQUIRE(storage::create_data_dir({.path = data, .keyring_path = {}}));
    CHECK(api::list_backups({.repository = repo}) == api::kFailed);
    CHECK(api::create_backup({.data = data, .repository = data + "/in"}) == api::kUsedWrongly);
    CHECK(api::create_backup({.data = data, .repository = repo, .json = true}) == api::kDone);
    // The repository knows where the keyring was.
    CHECK(api::list_backups({.repository = repo, .json = true}) == api::kDone);
    CHECK(api::verify_backups({.repository = repo, .json = true}) == api::kDone);
    CHECK(api::restore_backup({.data = data, .repository = repo}) == api::kFailed);
    CHECK(api::restore_backup({.data = folder / "a", .repository = repo, .json = true}) ==
          api::kDone);
    CHECK(api::verify_data(folder / "a", /*json=*/false) == api::kDone);

    for (const auto& entry : fs::directory_iterator(repo + "/files")) {
        auto bytes = read_file(entry.path());
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        write_file(entry.path(), bytes);
        break;
    }
    CHECK(api::verify_backups({.repository = repo}) == api::kStoreBroken);
    CHECK(api::restore_backup({.data = folder / "b", .repository = repo}) == api::kStoreBroken);
    CHECK_FALSE(fs::exists(folder / "b"));
}

TEST_CASE("a table with a flipped byte is what verify names", "[backup]") {
    const Folder folder;
    const auto data = folder / "data";
    {
        FolderWorld world(data);
        const auto till = world.key(Role::source, cdp::Trust::server);
        for (int n = 0; n < 50; ++n) send(world, till, "u" + std::to_string(n));
        // Makes tables of what is in memory.
        REQUIRE(api::create_backup({.data = data, .repository = folder / "repo"}) == api::kDone);
    }
    std::string biggest;
    for (const auto& entry : fs::directory_iterator(data + "/db"))
        if (entry.path().extension() == ".sst" &&
            (biggest.empty() || entry.file_size() > fs::file_size(biggest)))
            biggest = entry.path();
    REQUIRE_FALSE(biggest.empty());
    auto bytes = read_file(biggest);
    bytes[bytes.size() / 3] = static_cast<char>(bytes[bytes.size() / 3] ^ 1);
    write_file(biggest, bytes);
    CHECK(api::verify_data(data, /*json=*/false) == api::kStoreBroken);
}
