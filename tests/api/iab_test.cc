#include <catch2/catch.hpp>

#include "api/iab_request.h"
#include "api/iab_signer.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "consent/sha256.h"
#include "tests/api/world.h"

namespace {

using nlohmann::json;
using tests::World;

const std::string kFirst(32, 'f');
const std::string kVendor(32, 'v');

tests::World iab_world() {
    api::ServerOptions options;
    options.iab.parties = {{"publisher1.example", {api::IabSigner(kFirst).public_key()}},
                           {"vendor1.example", {api::IabSigner(kVendor).public_key()}}};
    return World(tests::fast_limits(), options);
}

json request_for(const std::string& value, const std::string& transaction,
                 const std::string& seed = kFirst) {
    const auto now =
        std::to_string(cdp::milliseconds_of(cdp::SystemClock{}.now()) / 1000 / 60 * 60);
    const auto text = [&](const char* domain) { return "1.0r-1" + (domain + now) + value; };
    return {
        {"version", "1.0"},
        {"fpRequestId", "r-1"},
        {"rqTransactionId", transaction},
        {"fpTimestamp", now},
        {"fpIdentifier",
         {{"identifierValue", value}, {"identifierType", "email"}, {"identifierFormat", "raw"}}},
        {"origin",
         {{"domain", "publisher1.example"},
          {"signature", api::IabSigner(seed).sign(text("publisher1.example"))}}},
        {"requester",
         {{"domain", "vendor1.example"},
          {"signature", api::IabSigner(kVendor).sign(text("vendor1.example"))}}}};
}

std::size_t erasures(const World& world) {
    REQUIRE(world.platform->privacy().requests.run_due([] { return true; }));
    return world.get("/v1/privacy/erasures", world.keys.at(cdp::Role::officer))
        .json()["erasures"]
        .size();
}

TEST_CASE("discovery names the endpoint, and the key that acknowledges", "[iab]") {
    const auto world = iab_world();
    const auto found = world.ask("GET", "/.well-known/dsrdelete.json").json();
    CHECK(found["endpoint"] == "https://localhost/v2/iab/deletions");
    REQUIRE(found["keys"].size() == 1);
    CHECK(found["keys"][0]["crv"] == "Ed25519");
    CHECK(found["vendorScriptRequirement"] == false);

    const auto request = request_for("a@shop.example", "t-1");
    const auto reply = world.ask("POST", "/v2/iab/deletions", "", request.dump());
    CHECK(reply.status == 200);
    const auto said = reply.json();
    CHECK(said["raResultCode"] == 202);
    CHECK(said["rqTransactionId"] == "t-1");
    const auto key = *api::from_base64url(found["keys"][0]["x"].get<std::string>());
    const auto text = request["requester"]["signature"].get<std::string>() +
                      std::to_string(said["raTimestamp"].get<std::int64_t>()) + "202";
    const auto digest = consent::sha256(text);
    CHECK(
        api::is_iab_signature(key, consent::view(digest), said["raSignature"].get<std::string>()));
}

TEST_CASE("a request erases once, however often and by whomever it is sent", "[iab]") {
    const auto world = iab_world();
    world.receive(
        R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":"a@shop.example"}})");
    const auto request = request_for("a@shop.example", "t-1");
    CHECK(world.ask("POST", "/v2/iab/deletions", "", request.dump()).status == 200);
    CHECK(erasures(world) == 1);
    CHECK(world.ask("POST", "/v2/iab/deletions", "", request.dump()).status == 200);
    auto replayed = request;
    replayed["rqTransactionId"] = "t-2";
    CHECK(world.ask("POST", "/v2/iab/deletions", "", replayed.dump()).json()["rqTransactionId"] ==
          "t-2");
    CHECK(erasures(world) == 1);

    // Each party has signed the same text: in each other's part, or alone, it is the same request.
    world.receive(
        R"({"type":"identify","userId":"u1","messageId":"m2","traits":{"email":"a@shop.example"}})");
    auto swapped = request;
    std::swap(swapped["origin"], swapped["requester"]);
    auto alone = request;
    alone["origin"] = alone["requester"];
    for (const auto& again : {swapped, alone})
        CHECK(world.ask("POST", "/v2/iab/deletions", "", again.dump()).status == 200);
    CHECK(erasures(world) == 1);
}

TEST_CASE("what is forged or malformed is refused, and does nothing", "[iab]") {
    const auto world = iab_world();
    const auto refused = [&](const std::string& body) {
        const auto reply = world.ask("POST", "/v2/iab/deletions", "", body);
        const auto said = reply.json();
        // Whoever asked finds what it answers, as far as they said it.
        const auto sent = json::parse(body, nullptr, /*allow_exceptions=*/false);
        for (const auto* name : {"fpRequestId", "rqTransactionId"})
            CHECK(said.contains(name) == (sent.is_object() && sent.contains(name)));
        CHECK(said.value("rqTransactionId", "t-1") == "t-1");
        CHECK(said["raResultCode"] == reply.status);
        CHECK(said["raTimestamp"].is_number());
        // Nothing is signed for whoever has not signed first.
        if (!said.contains("raSignature")) return reply.refusal();
        CHECK(said["raSignature"].get<std::string>().size() == 2 + 128);
        return std::to_string(reply.status) + " signed " + said["message"].get<std::string>();
    };
    CHECK(refused(request_for("a@shop.example", "t-1", kVendor).dump()) ==
          "401 signed signature_wrong");
    auto stranger = request_for("a@shop.example", "t-1");
    stranger["origin"]["domain"] = "evil.example";
    CHECK(refused(stranger.dump()) == "403 signed party_unknown");
    CHECK(refused(request_for("no address", "t-1").dump()) == "400 signed malformed_identifier");
    auto untimed = request_for("a@shop.example", "t-1");
    untimed["fpTimestamp"] = "soon";
    CHECK(refused(untimed.dump()) == "400 malformed_time /fpTimestamp");
    auto unknown = request_for("a@shop.example", "t-1");
    unknown["fpIdentifier"]["identifierType"] = "shoe_size";
    CHECK(refused(unknown.dump()) == "400 signed identifier_type_unknown");
    CHECK(refused("{}") == "400 member_missing /version");
    CHECK(refused("{") == "400 malformed_json");
    CHECK(refused(R"({"version":"1.0","version":"1.0"})") == "400 duplicate_key /version");
    auto forged = request_for("a@shop.example", "t-1");
    forged["requester"]["signature"] = "to be signed";
    CHECK(refused(forged.dump()) == "401 signature_wrong /requester/signature");
    forged["requester"]["domain"] = "evil.example";
    CHECK(refused(forged.dump()) == "403 party_unknown /requester/domain");
    CHECK(erasures(world) == 0);
    CHECK(world.ask("POST", "/v2/iab/deletions", "", std::string(70'000, ' ')).status == 413);
}

}  // namespace
