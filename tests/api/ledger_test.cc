#include <catch2/catch.hpp>

#include "consent/checkpoint.h"
#include "consent/ledger.h"
#include "consent/tlog_proof.h"
#include "consent/witness.h"
#include "storage/key.h"
#include "tests/api/world.h"

namespace {

using tests::World;

std::string granted(int who) {
    return R"({"consents":[{"identifiers":[{"type":"email","value":"p)" + std::to_string(who) +
           R"(@shop.example"}],"purpose":"email_marketing","state":"granted"}]})";
}

// Until the thread that publishes has seen so many.
void published(const World& world, std::uint64_t size) {
    for (int tries = 0; world.platform->ledger().size() < size; ++tries) {
        REQUIRE(tries < 2000);
        ::poll(nullptr, 0, 5);
    }
}

TEST_CASE("the ledger is public, and immutable but for its checkpoint") {
    World world;
    CHECK(world.ask("GET", "/ledger/checkpoint").code() == "not_published_yet");
    world.platform->publish_ledger();
    for (int who = 0; who < 3; ++who)
        REQUIRE(world.post("/v1/consents", world.till, granted(who)).status == 200);
    published(world, 3);

    const auto checkpoint = world.ask("GET", "/ledger/checkpoint");
    CHECK(checkpoint.status == 200);
    CHECK(checkpoint.header("content-type") == "text/plain; charset=utf-8");
    CHECK(checkpoint.header("cache-control") == "public, max-age=1");
    const auto keys = world.get("/v1/ledger/keys", world.keys[cdp::Role::officer]).json()["keys"];
    const std::vector known{consent::parse_vkey(keys.at(0).get<std::string>()).value()};
    CHECK(consent::open_checkpoint(checkpoint.body, known)->checkpoint.size == 3);

    const auto tile = world.ask("GET", "/ledger/tile/0/000.p/3");
    CHECK(tile.status == 200);
    CHECK(tile.body.size() == 3 * 32);
    CHECK(tile.header("content-type") == "application/octet-stream");
    CHECK(tile.header("cache-control") == "public, max-age=31536000, immutable");
    const auto head = world.ask("HEAD", "/ledger/tile/0/000.p/3");
    CHECK(head.status == 200);
    CHECK(head.header("content-length") == "96");
    CHECK(world.ask("GET", "/ledger/tile/entries/000.p/2").body.size() == 2 * (2 + 50));
    CHECK(world.ask("GET", "/ledger/tile/0/000.p/4").code() == "no_such_tile");
    CHECK(world.ask("GET", "/ledger/tile/0/000").code() == "no_such_tile");
    CHECK(world.ask("GET", "/ledger/tile/1/000.p/1").code() == "no_such_tile");
    CHECK(world.ask("GET", "/ledger/tile/0/x001/x234/067").code() == "no_such_tile");
    CHECK(world.ask("GET", "/ledger/tile/0/x999/x999/x999/x999/x999/999").status == 404);
}

TEST_CASE("a path that names no tile is refused") {
    World world;
    world.platform->publish_ledger();
    for (const auto* path : {"0",
                             "0/",
                             "0/0",
                             "0/1",
                             "00/000",
                             "01/000",
                             "64/000",
                             "-1/000",
                             "x/000",
                             "0/000.p/0",
                             "0/000.p/256",
                             "0/000.p/01",
                             "0/000.p/",
                             "0/000.p/x",
                             "0/x000/001",
                             "0/x01/001",
                             "0/001/001",
                             "0/x001",
                             "0/0000",
                             "0/+01",
                             "0/000/.p/1",
                             "entries/0",
                             "entries/",
                             "data/000",
                             "0/x999/x999/x999/x999/x999/x999/999",
                             "0//000"}) {
        CAPTURE(path);
        const auto reply = world.ask("GET", std::string("/ledger/tile/") + path);
        CHECK((reply.status == 400 || reply.status == 404));
        CHECK(reply.header("content-type") == "application/problem+json");
    }
    CHECK(world.ask("GET", "/ledger").status == 404);
    CHECK(world.ask("GET", "/ledger/tile/").status == 404);
    CHECK(world.ask("POST", "/ledger/checkpoint").status == 405);
}

TEST_CASE("a witness that knows only the key can follow a server, and a proof verifies offline") {
    World world;
    world.platform->publish_ledger();
    const std::vector known{world.platform->ledger().public_keys().value().at(0)};
    const auto fetch = [&](const std::string& path) -> cdp::Result<std::string> {
        const auto reply = world.ask("GET", "/ledger/" + path);
        if (reply.status != 200) return cdp::Error{.reason = reply.code()};
        return reply.body;
    };
    auto seen = consent::witness(fetch, known, std::nullopt);
    REQUIRE(seen);
    for (int who = 0; who < 4; ++who)
        REQUIRE(world.post("/v1/consents", world.till, granted(who)).status == 200);
    published(world, 4);
    seen = consent::witness(fetch, known, seen->now);
    REQUIRE(seen);
    CHECK(seen->entries == 4);

    const auto officer = world.keys[cdp::Role::officer];
    const auto proof = consent::parse_tlog_proof(world.get("/v1/ledger/proofs/2", officer).body);
    REQUIRE(proof);
    const auto bundle = world.ask("GET", "/ledger/tile/entries/000.p/4").body;
    CHECK(consent::verify(*proof, bundle.substr(2 * 52 + 2, 50), known));
    CHECK_FALSE(consent::verify(*proof, bundle.substr(1 * 52 + 2, 50), known));
    CHECK(world.get("/v1/ledger/proofs/4", officer).code() == "entry_unpublished");
    CHECK(world.get("/v1/ledger/proofs/x", officer).code() == "malformed_index");
    const auto checked = world.get("/v1/ledger/check", officer).body;
    CHECK(nlohmann::json::parse(checked)["fault"].is_null());
    CHECK(nlohmann::json::parse(checked)["records"] == 4);
}

TEST_CASE("a ledger that is not sound takes denials only, and says so") {
    World world;
    REQUIRE(world.post("/v1/consents", world.till, granted(1)).status == 200);
    {
        const auto snapshot = world.store->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.put(consent::entry_key(0), "no entry");
        REQUIRE(commit_and_wait(*world.store, std::move(transaction)).state ==
                storage::CommitState::ok);
    }
    CHECK(world.ask("GET", "/readyz").status == 200);
    world.platform->publish_ledger();
    CHECK(world.ask("GET", "/readyz").code() == "ledger_halted");
    const auto refused = world.post("/v1/consents", world.till, granted(2));
    CHECK(refused.status == 503);
    CHECK(refused.code() == "ledger_halted");
    auto withdrawn = granted(1);
    withdrawn.replace(withdrawn.find("granted"), 7, "withdrawn");
    CHECK(world.post("/v1/consents", world.till, withdrawn).status == 200);
}

}  // namespace
