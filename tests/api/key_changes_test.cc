#include <sys/stat.h>

#include "api/key_verbs.h"
#include "storage/escrow.h"
#include "tests/api/folder_world.h"

namespace {

using namespace tests;
using cdp::Role;
using nlohmann::json;

const char* const kEvent =
    R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":"a@shop.example"}})";

std::vector<json> lines_of(const std::string& text) {
    std::vector<json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
}

TEST_CASE("an administrator ends an epoch over HTTP, nobody else, and everybody is still known") {
    const Folder folder;
    FolderWorld world(folder / "data");
    const auto admin = world.key(Role::admin);
    const auto till = world.key(Role::source, cdp::Trust::server);
    for (const auto role : {Role::source, Role::channel, Role::officer, Role::steward}) {
        const auto key = world.key(role);
        CHECK(world.ask("POST", "/v1/keys/epochs", key).status == 403);
        CHECK(world.ask("GET", "/v1/keys/epochs", key).status == 403);
        CHECK(world.ask("POST", "/v1/ledger/keys", key).status == 403);
    }
    REQUIRE(
        world.ask("POST", "/v1/batch", till, R"({"batch":[)" + std::string(kEvent) + "]}").status ==
        200);
    const auto lines = lines_of(world.ask("POST", "/v1/keys/epochs", admin).body);
    REQUIRE(lines.size() >= 2);
    CHECK(lines.front().contains("progress"));
    const auto result = lines.back()["result"];
    CHECK(result["from"] == 1);
    CHECK(result["to"] == 2);
    CHECK(result["rewrapped"].get<int>() >= 2);
    CHECK(result["failing"].empty());
    const auto state = world.ask("GET", "/v1/keys/epochs", admin).json();
    REQUIRE(state["epochs"].size() == 1);
    CHECK(state["epochs"][0]["epoch"] == 2);
    CHECK(state["epochs"][0]["keys"] == result["rewrapped"]);
    const auto persons = world.ask("GET", "/v1/exports/persons", admin).body;
    CHECK(persons.find("a@shop.example") != std::string::npos);
    CHECK(storage::read_keyring(world.data() + "/keyring")->epochs.size() == 1);
}

TEST_CASE("an epoch that was begun when the process ended goes on at the next start") {
    const Folder folder;
    {
        FolderWorld world(folder / "data");
        const auto till = world.key(Role::source, cdp::Trust::server);
        REQUIRE(world.ask("POST", "/v1/batch", till, R"({"batch":[)" + std::string(kEvent) + "]}")
                    .status == 200);
    }
    const auto path = folder / "data/keyring";
    auto keyring = storage::read_keyring(path).value();
    keyring.add_epoch();
    REQUIRE(storage::replace_keyring(path, keyring));
    FolderWorld world(folder / "data");
    const auto admin = world.key(Role::admin);
    json state;
    do {
        state = world.ask("GET", "/v1/keys/epochs", admin).json();
    } while (state["ended"].empty());
    CHECK(state["epochs"].size() == 1);
    CHECK(state["ended"][0]["to"] == 2);
    CHECK(state["ended"][0]["rewrapped"].get<int>() >= 2);
    CHECK(world.ask("GET", "/v1/exports/persons", admin).body.find("a@shop.example") !=
          std::string::npos);
}

TEST_CASE("the ledger's key changes while serving, and old proofs hold") {
    const Folder folder;
    FolderWorld world(folder / "data");
    const auto admin = world.key(Role::admin);
    const auto before = world.platform().ledger().public_keys().value();
    const auto answer = world.ask("POST", "/v1/ledger/keys", admin).json();
    const auto after = world.platform().ledger().public_keys().value();
    REQUIRE(after.size() == before.size() + 1);
    CHECK(answer["key"] == after.back().str());
    CHECK(open_checkpoint(world.platform().ledger().checkpoint()->note, std::vector{after.back()}));
    const auto lines = lines_of(world.ask("GET", "/v1/ledger/check", admin).body);
    CHECK(lines.back()["fault"].is_null());
}

TEST_CASE("an escrow is made on the machine, opened with its private half alone, refused else") {
    const Folder folder;
    FolderWorld world(folder / "data");
    const auto pair = storage::EscrowPair::generate();
    const auto file = folder / "escrow";
    const auto body = json{{"path", file}, {"recipient", storage::to_hex(pair.recipient)}}.dump();
    const auto post = [&](const std::string& text) {
        return world.ask_here({.method = "POST", .target = "/v1/keys/escrows", .body = text});
    };
    CHECK(world.ask("POST", "/v1/keys/escrows", world.key(Role::admin), body).code() ==
          "local_only");
    CHECK(post("{}") == "recipient_malformed");
    CHECK(post("[]") == "wrong_type");
    CHECK(post(R"({"path":"/x","to":"y"})") == "unknown_member");
    CHECK(post(json{{"path", "x"}, {"recipient", storage::to_hex(pair.recipient)}}.dump()) ==
          "path_relative");
    CHECK(json::parse(post(body))["epochs"] == json({1}));
    world.ask_here({.method = "POST", .target = "/v1/keys/epochs"});
    CHECK(storage::read_escrow(file, pair.private_half)->epochs.begin()->first == 2);

    REQUIRE(storage::write_private_half(folder / "private", pair.private_half));
    const api::EscrowCommand open{
        .file = file, .private_key = folder / "private", .keyring = folder / "restored"};
    CHECK(api::open_escrow(open) == 0);
    CHECK(read_file(folder / "restored") == read_file(world.data() + "/keyring"));
    // Never over another.
    CHECK(api::open_escrow(open) == 1);
    const auto untouched = [&](api::EscrowCommand command) {
        command.keyring = folder / "other";
        const auto before = contents(folder.path());
        const int code = api::open_escrow(command);
        return contents(folder.path()) == before ? code : -1;
    };
    write_file(folder / "cut", read_file(file).substr(1));
    CHECK(untouched({.file = folder / "cut", .private_key = open.private_key}) == 70);
    CHECK(untouched({.file = folder / "none", .private_key = open.private_key}) == 1);
    CHECK(untouched({.file = file, .private_key = folder / "none"}) == 1);
    REQUIRE(storage::write_private_half(folder / "another",
                                        storage::EscrowPair::generate().private_half));
    CHECK(untouched({.file = file, .private_key = folder / "another"}) == 1);
    REQUIRE(::chmod(open.private_key.c_str(), 0644) == 0);
    CHECK(untouched({.file = file, .private_key = open.private_key}) == 1);
}

TEST_CASE("a server without a data folder has no keys to change") {
    const World world;
    const auto& admin = world.keys.at(Role::admin);
    CHECK(world.post("/v1/keys/epochs", admin, "").code() == "no_keyring");
    CHECK(world.get("/v1/keys/epochs", admin).code() == "no_keyring");
    CHECK(world.post("/v1/keys/escrows", admin, "{}").code() == "no_keyring");
    CHECK(world.post("/v1/ledger/keys", admin, "").code() == "no_keyring");
}

}  // namespace
