#include "api/drp_message.h"
#include "tests/api/drp_network.h"

// The Data Rights Protocol: who is let in, and by which messages.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::kDataRights;
using tests::Network;
using tests::Reply;
using tests::SigningKey;
using tests::terms_of;
using tests::World;

TEST_CASE("an agent's request is taken down, done, and told as the protocol has it", "[drp]") {
    const Network world;
    const auto taken = world.send(world.asking("deletion"));
    REQUIRE(taken.status == 200);
    const auto status = taken.json();
    CAPTURE(status.dump());
    CHECK(status["status"] == "in_progress");
    CHECK_FALSE(status.contains("reason"));
    CHECK(status["agent_request_id"] == "foo");
    CHECK(status["request_id"].get<std::string>().size() == 36);
    CHECK(status["expected_by"] > status["received_at"]);
    world.run_due();
    CHECK(world.now(status)["status"] == "fulfilled");
    CHECK(world.get("/v1/audit/erasures?subject=user_id:u1", world.keys.at(Role::officer))
              .json()["held"] == false);
    // Every member is one of the protocol's.
    const auto end = world.now(status);
    for (const auto& [name, value] : end.items())
        CHECK(json{"request_id", "received_at", "expected_by", "agent_request_id",
                   "processing_details", "status", "reason", "user_verification_url", "results_url",
                   "expires_at"}
                  .dump()
                  .find('"' + name + '"') != std::string::npos);
}

TEST_CASE("a message is refused in the protocol's order, by its first fault", "[drp]") {
    const Network world;
    const SigningKey other;
    auto body = world.asking("deletion");
    const auto good = world.key.sign(body.dump());
    // Each has all the faults that come after its own.
    body["agent-id"] = "SOMEBODY";
    body["business-id"] = "BANK";
    body["issued-at"] = world.at(std::chrono::seconds(300));
    body["expires-at"] = world.at(std::chrono::seconds(-300));
    body["drp.version"] = "7";
    body["exercise"] = "dance";
    const auto said = [&](const Reply& reply) {
        return Network::refusal(reply) + ": " + reply.json().value("message", "");
    };
    CHECK(world.send(good, "").status == 403);
    CHECK(world.send(good, World::bearer("x")).status == 403);
    CHECK(said(world.send("%%%", world.token)) ==
          "400 fatal: The body is no base64 of a signed message.");
    CHECK(said(world.send(consent::to_base64(body.dump()), world.token)) ==
          "403 fatal: The signature is not that of the agent's key.");
    CHECK(said(world.send(other.sign(body.dump()), world.token)) ==
          "403 fatal: The signature is not that of the agent's key.");
    auto tampered = *consent::from_base64(good);
    tampered.back() ^= 1;
    CHECK(said(world.send(consent::to_base64(tampered), world.token)) ==
          "403 fatal: The signature is not that of the agent's key.");
    CHECK(said(world.send(world.key.sign("[1]"), world.token)) ==
          "400 fatal: What is signed is no JSON object.");
    CHECK(said(world.send(body)) == "403 fatal: agent-id is not the agent that sends.");
    body["agent-id"] = "HELPER";
    CHECK(said(world.send(body)) == "403 fatal: business-id is another business.");
    body["business-id"] = "SHOP";
    CHECK(said(world.send(body)) == "400 retry: issued-at is yet to come.");
    body["issued-at"] = "2026-11-22";
    CHECK(said(world.send(body)) == "400 fatal: issued-at is no time.");
    body["issued-at"] = world.at(std::chrono::seconds(-600));
    CHECK(said(world.send(body)) == "400 fatal: The message has expired.");
    body["expires-at"] = world.at(std::chrono::seconds(600));
    CHECK(said(world.send(body)) == "400 fatal: A message lives for at most 15 minutes.");
    body["expires-at"] = world.at(std::chrono::seconds(60));
    CHECK(said(world.send(body)) == "400 fatal: drp.version is not 1.0.");
    body["drp.version"] = "1.0";
    CHECK(said(world.send(body)) == "400 fatal: Unsupported rights actions submitted.");
    body["exercise"] = "deletion";
    body["regime"] = "martial";
    CHECK(said(world.send(body)) == "400 fatal: No such regime is served here.");
    body["regime"] = "ccpa";
    body.erase("email");
    CHECK(said(world.send(body)) == "400 fatal: Neither email nor phone_number says who asks.");
    body["email"] = "no address";
    CHECK(world.send(body).status == 400);
    body["email"] = "a@shop.example";
    for (const json& id : {json(std::string(257, 'x')), json("a\nb"), json(7)}) {
        body["agent_request_id"] = id;
        CHECK(said(world.send(body)) ==
              "400 fatal: agent_request_id is one line of at most 256 bytes.");
    }
    body["agent_request_id"] = "foo";
    body["status_callback"] = "http://helper.example/x";
    CHECK(said(world.send(body)) == "400 fatal: status_callback is no https URL.");
    CHECK(world.platform->privacy().requests.page({})->find("\"id\"") == std::string::npos);
}

TEST_CASE("whoever refuses what is sent to the protocol's paths does it in its words", "[drp]") {
    const Network world;
    const std::string one = kDataRights + "/00000000-0000-0000-0000-000000000000";
    const auto said = [&](const Reply& reply) {
        CHECK(reply.headers.at("content-type") == "application/json");
        return Network::refusal(reply);
    };
    const std::string id = World::bearer(world.token);
    CHECK(said(world.ask("PUT", kDataRights, id, "AAAA")) == "405 fatal");
    CHECK(said(world.ask("GET", "/v1/agent/HELPER/more", id)) == "404 fatal");
    CHECK(said(world.ask("GET", one + "/more", id)) == "404 fatal");
    CHECK(said(world.ask("GET", kDataRights + "/%00", id)) == "400 fatal");
    CHECK(said(world.ask("GET", one + "?tail=1", id)) == "400 fatal");
    CHECK(said(world.ask("POST", kDataRights + "?tail=1", id, "AAAA")) == "400 fatal");
    CHECK(said(world.ask("POST", "/v1/agent/HELPER?tail=1", {}, "AAAA")) == "400 fatal");
    CHECK(said(world.ask("POST", kDataRights, id, std::string(70'000, 'A'))) == "413 fatal");
    CHECK(said(world.ask("POST", kDataRights, "Content-Encoding: br\r\n" + id, "AAAA")) ==
          "415 fatal");
    CHECK(said(world.ask("POST", kDataRights, "Content-Encoding: gzip\r\n" + id, "AAAA")) ==
          "400 fatal");
    CHECK(said(world.ask("GET", one, id + "X: " + std::string(9'000, 'x') + "\r\n")) ==
          "431 fatal");
    // What was refused while its body came is refused by the head that moved meanwhile.
    const auto chunks = "11000\r\n" + std::string(0x11000, 'A') + "\r\n0\r\n\r\n";
    CHECK(said(world.connect()
                   .send("POST " + kDataRights + " HTTP/1.1\r\nHost: cdp.example\r\n" +
                         "Transfer-Encoding: chunked\r\n" + id + "\r\n" + chunks)
                   .read(false)) == "413 fatal");
}

TEST_CASE("times of ISO 8601's basic form are read, as in the protocol's examples", "[drp]") {
    const auto now = *cdp::parse_time("2021-09-02T22:30:00Z");
    const json claims{{"agent-id", "A"},
                      {"business-id", "B"},
                      {"issued-at", "20210902T152725.403-0700"},
                      {"expires-at", "20210902T223500Z"},
                      {"drp.version", "0.9.4"}};
    const auto issued = api::check_envelope(claims, "A", "B", now);
    INFO((issued ? "" : issued.error().reason));
    REQUIRE(issued);
    CHECK(cdp::format_time(*issued) == "2021-09-02T22:27:25.403Z");
}

TEST_CASE("a token is set up by a signature, once by each message, and the next replaces it",
          "[drp]") {
    const Network world;
    CHECK(world.get("/v1/agent/HELPER", world.token).body == "{}\n");
    CHECK(world.get("/v1/agent/OTHER", world.token).status == 403);
    CHECK(world.get("/v1/agent/HELPER", "nothing").status == 403);
    auto body = world.envelope();
    body["issued-at"] = world.at(std::chrono::seconds(0));
    const auto next = world.set_up("HELPER", world.key, body);
    REQUIRE(next.status == 200);
    CHECK(next.json()["agent-id"] == "HELPER");
    CHECK(world.get("/v1/agent/HELPER", world.token).status == 403);
    CHECK(world.get("/v1/agent/HELPER", next.json()["token"]).status == 200);
    const auto refused = [&](const Reply& reply) {
        CHECK(reply.status == 403);
        CHECK(reply.body.empty());
    };
    refused(world.set_up("HELPER", world.key, body));
    refused(world.set_up("HELPER", SigningKey()));
    refused(world.set_up("NOBODY", world.key));
    refused(world.set_up("HELPER", world.key, world.envelope("OTHER")));
    body = world.asking("deletion");
    body["issued-at"] = world.at(std::chrono::seconds(0));
    refused(world.set_up("HELPER", world.key, body));
    CHECK(world.get("/v1/agent/HELPER", next.json()["token"]).status == 200);
}

TEST_CASE("what was signed to revoke sets no token up, nor what was used before a removal",
          "[drp]") {
    const Network world(terms_of("https://shop.example/prove", 10));
    const auto status = world.send(world.asking("deletion")).json();
    const auto set_up = [&](const json& body) {
        return world.set_up("HELPER", world.key, body).status;
    };
    auto body = world.envelope();
    body["issued-at"] = world.at(std::chrono::seconds(0));
    body["reason"] = "I don't want my account deleted";
    CHECK(set_up(body) == 403);
    body.erase("reason");
    CHECK(world.revoke(status, world.key.sign(body.dump())).json()["status"] == "revoked");
    CHECK(set_up(body) == 403);
    body["expires-at"] = world.at(std::chrono::seconds(500));
    CHECK(set_up(body) == 200);
    REQUIRE(
        world.ask("DELETE", "/v1/privacy/agents/HELPER", World::bearer(world.keys.at(Role::admin)))
            .status == 200);
    world.enrol("HELPER", world.key);
    CHECK(set_up(body) == 403);
    // Nor what is older than it.
    body["issued-at"] = world.at(std::chrono::seconds(-1));
    CHECK(set_up(body) == 403);
}

TEST_CASE("the same signed bytes are the same request, never a second", "[drp]") {
    const Network world;
    const auto bytes = world.key.sign(world.asking("deletion").dump());
    const auto first = world.send(bytes, world.token).json();
    CHECK(world.send(bytes, world.token).json()["request_id"] == first["request_id"]);
    world.run_due();
    const auto again = world.send(bytes, world.token).json();
    CHECK(again["request_id"] == first["request_id"]);
    CHECK(again["status"] == "fulfilled");
}

TEST_CASE("nobody reads or revokes what another agent manages", "[drp]") {
    const Network world;
    const SigningKey other;
    world.enrol("OTHER", other);
    const auto token = world.set_up("OTHER", other).json()["token"].get<std::string>();
    const auto status = world.send(world.asking("sale:opt_out")).json();
    CHECK(Network::refusal(world.read(status, token)) == "403 fatal");
    CHECK(world.send(world.key.sign(world.asking("deletion").dump()), token).status == 403);
    CHECK(world.get(kDataRights + "/00000000-0000-0000-0000-000000000000", world.token).status ==
          404);
    CHECK(world.get(kDataRights + "/nonsense", world.token).status == 404);
}

TEST_CASE("what has not begun is revoked, by a message that was signed for it", "[drp]") {
    const Network world(terms_of("https://shop.example/prove", 10));
    auto body = world.asking("deletion");
    const auto first = world.send(body).json();
    body["phone_number"] = "+4915112345678";
    body["phone_number_verified"] = true;
    const auto second = world.send(body).json();
    REQUIRE(first["request_id"] != second["request_id"]);
    const auto plain = world.key.sign(R"({"reason":"I don't want my account deleted"})");
    CHECK(world.revoke(first, SigningKey().sign(R"({"reason":""})")).status == 403);
    CHECK(world.revoke(first, world.key.sign(world.asking("deletion").dump())).status == 403);
    CHECK(world.revoke(first, world.key.sign(json{{"request_id", second["request_id"]}}.dump()))
              .status == 403);
    CHECK(world.revoke(first, plain).json()["status"] == "revoked");
    CHECK(world.revoke(first, plain).json()["status"] == "revoked");
    CHECK(Network::refusal(world.revoke(second, plain)) == "403 fatal");
    CHECK(world.now(second)["status"] == "in_progress");
    CHECK(world.revoke(second, world.key.sign(json{{"request_id", second["request_id"]}}.dump()))
              .json()["status"] == "revoked");
    const auto opted = world.send(world.asking("sale:opt_out")).json();
    world.run_due();
    CHECK(Network::refusal(world.revoke(
              opted, world.key.sign(json{{"request_id", opted["request_id"]}}.dump()))) ==
          "409 fatal");
}

TEST_CASE("agents are an administrator's to register, and their end ends their token", "[drp]") {
    const Network world;
    const auto& admin = world.keys.at(Role::admin);
    const std::string agents = "/v1/privacy/agents";
    const auto add = [&](const json& body) {
        return world.post(agents, admin, body.dump()).refusal();
    };
    const auto key = world.key.verify_key();
    CHECK(add({{"id", "lower"}, {"name", "x"}, {"verify_key", key}}) ==
          "400 malformed_agent_id /id");
    CHECK(add({{"id", "A"}, {"verify_key", key}}) == "400 malformed_name /name");
    CHECK(add({{"id", "A"}, {"name", "x"}, {"verify_key", "AAAA"}}) ==
          "400 malformed_verify_key /verify_key");
    // Keys by which signatures hold that nobody made.
    for (const auto& low : {std::string(32, '\0'), '\1' + std::string(31, '\0')})
        CHECK(add({{"id", "A"}, {"name", "x"}, {"verify_key", consent::to_base64(low)}}) ==
              "400 malformed_verify_key /verify_key");
    CHECK(add({{"id", "A"}, {"name", "x"}, {"verify_key", key}, {"callback_hosts", {"A b"}}}) ==
          "400 malformed_host /callback_hosts");
    const auto listed = world.get(agents, admin).json()["agents"];
    REQUIRE(listed.size() == 1);
    CHECK(listed[0]["id"] == "HELPER");
    CHECK(listed[0]["set_up"] == true);
    CHECK(listed[0].dump().find(world.token) == std::string::npos);
    const auto gone = [&] {
        return world.ask("DELETE", agents + "/HELPER", World::bearer(admin)).status;
    };
    const auto status = world.send(world.asking("sale:opt_out")).json();
    CHECK(gone() == 200);
    CHECK(gone() == 404);
    CHECK(world.read(status, world.token).status == 403);
    // Its key again, without its token.
    world.enrol("HELPER", world.key);
    CHECK(world.read(status, world.token).status == 403);
    while (*world.platform->ledger().publish(world.clock.now())) continue;
    const auto checked = world.platform->check_ledger([](auto, auto) { return true; });
    REQUIRE(checked);
    CHECK_FALSE(checked->fault);
}

TEST_CASE("without a business's id the protocol is not served", "[drp]") {
    const World world;
    CHECK(world.get(kDataRights + "/00000000-0000-0000-0000-000000000000", "x").status == 404);
    CHECK(world.ask("POST", kDataRights, World::bearer("x"), "AAAA").status == 404);
    CHECK(world.ask("POST", "/v1/agent/HELPER", {}, "AAAA").status == 403);
}

}  // namespace
