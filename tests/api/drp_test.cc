#include <sodium.h>

#include <array>

#include "api/drp_callbacks.h"
#include "api/drp_request.h"
#include "cdp/agents.h"
#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "consent/base64.h"
#include "tests/api/listener.h"
#include "tests/api/world.h"

// The Data Rights Protocol, spoken by agents that sign with libsodium as the protocol has it.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::Reply;
using tests::World;

const std::string kRequests = "/v1/data-rights-request";

class SigningKey {
public:
    SigningKey() { crypto_sign_keypair(public_.data(), secret_.data()); }
    std::string verify_key() const {
        return consent::to_base64({reinterpret_cast<const char*>(public_.data()), public_.size()});
    }
    // Combined mode: the signature, then the message.
    std::string sign(const std::string& text) const {
        std::string out(crypto_sign_BYTES + text.size(), '\0');
        crypto_sign(reinterpret_cast<unsigned char*>(out.data()), nullptr,
                    reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                    secret_.data());
        return consent::to_base64(out);
    }

private:
    std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> public_{};
    std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

cdp::AgentTerms terms_of(const std::string& url, int minutes = 0) {
    return {.business_id = "SHOP",
            .verification_url = url,
            .revoke_window = std::chrono::minutes(minutes)};
}

// The path of a URL of ours.
std::string path_in(const json& document, const std::string& member, const std::string& root) {
    const auto url = document.value(member, "");
    const auto at = url.find(root);
    REQUIRE(at != url.npos);
    return url.substr(at);
}

struct Network : World {
    explicit Network(cdp::AgentTerms terms = terms_of("https://shop.example/prove")) {
        platform->privacy().agents.let_in(std::move(terms));
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":)"
                R"({"email":"a@shop.example","plan":"gold"}})");
        enrol("HELPER", key);
        token = set_up("HELPER", key).json().value("token", "");
        REQUIRE(token.size() == 44);
    }

    void enrol(const std::string& id, const SigningKey& with,
               const std::vector<std::string>& hosts = {"helper.example"}) const {
        const json body{{"id", id},
                        {"name", "Helps people"},
                        {"verify_key", with.verify_key()},
                        {"callback_hosts", hosts}};
        REQUIRE(post("/v1/privacy/agents", keys.at(Role::admin), body.dump()).status == 200);
    }
    std::string at(std::chrono::seconds from_now) const {
        return cdp::format_time(clock.now() + from_now);
    }
    json envelope(const std::string& agent = "HELPER") const {
        using std::chrono::seconds;
        return {{"agent-id", agent},
                {"business-id", "SHOP"},
                {"issued-at", at(seconds(-1))},
                {"expires-at", at(seconds(540))},
                {"drp.version", "1.0"}};
    }
    Reply set_up(const std::string& id, const SigningKey& with, json body = nullptr) const {
        if (body.is_null()) body = envelope(id);
        return ask("POST", "/v1/agent/" + id, "Content-Type: text/plain\r\n",
                   with.sign(body.dump()));
    }
    json asking(const std::string& exercise) const {
        auto body = envelope();
        body.update({{"exercise", exercise},
                     {"regime", "ccpa"},
                     {"email", "a@shop.example"},
                     {"email_verified", true},
                     {"name", "A person"},
                     {"agent_request_id", "foo"}});
        return body;
    }
    Reply send(const std::string& signed_body, const std::string& with_token) const {
        return ask("POST", kRequests, "Content-Type: text/plain\r\n" + bearer(with_token),
                   signed_body);
    }
    Reply send(const json& body) const { return send(key.sign(body.dump()), token); }
    Reply read(const json& status, const std::string& with_token) const {
        return get(kRequests + "/" + status.at("request_id").get<std::string>(), with_token);
    }
    json now(const json& status) const { return read(status, token).json(); }
    Reply revoke(const json& status, const std::string& signed_body) const {
        return ask("DELETE", kRequests + "/" + status.at("request_id").get<std::string>(),
                   bearer(token), signed_body);
    }
    void run_due() const {
        REQUIRE(platform->privacy().requests.run_due([] { return true; }));
    }
    // What a refusal says, and whether it may be sent again.
    static std::string refusal(const Reply& reply) {
        const auto said = reply.json();
        CHECK(said.value("code", "") == std::to_string(reply.status));
        CHECK_FALSE(said.value("message", "").empty());
        return std::to_string(reply.status) + (said.value("fatal", false) ? " fatal" : " retry");
    }

    SigningKey key;
    std::string token;
};

}  // namespace

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
    body["status_callback"] = "http://helper.example/x";
    CHECK(said(world.send(body)) == "400 fatal: status_callback is no https URL.");
    CHECK(world.platform->privacy().requests.page({})->find("\"id\"") == std::string::npos);
}

TEST_CASE("whoever refuses what is sent to the protocol's paths does it in its words", "[drp]") {
    const Network world;
    const std::string one = kRequests + "/00000000-0000-0000-0000-000000000000";
    const auto said = [&](const Reply& reply) {
        CHECK(reply.headers.at("content-type") == "application/json");
        return Network::refusal(reply);
    };
    const std::string id = World::bearer(world.token);
    CHECK(said(world.ask("PUT", kRequests, id, "AAAA")) == "405 fatal");
    CHECK(said(world.ask("GET", "/v1/agent/HELPER/more", id)) == "404 fatal");
    CHECK(said(world.ask("GET", one + "/more", id)) == "404 fatal");
    CHECK(said(world.ask("GET", kRequests + "/%00", id)) == "400 fatal");
    CHECK(said(world.ask("GET", one + "?tail=1", id)) == "400 fatal");
    CHECK(said(world.ask("POST", kRequests + "?tail=1", id, "AAAA")) == "400 fatal");
    CHECK(said(world.ask("POST", "/v1/agent/HELPER?tail=1", {}, "AAAA")) == "400 fatal");
    CHECK(said(world.ask("POST", kRequests, id, std::string(70'000, 'A'))) == "413 fatal");
    CHECK(said(world.ask("POST", kRequests, "Content-Encoding: br\r\n" + id, "AAAA")) ==
          "415 fatal");
    CHECK(said(world.ask("POST", kRequests, "Content-Encoding: gzip\r\n" + id, "AAAA")) ==
          "400 fatal");
    CHECK(said(world.ask("GET", one, id + "X: " + std::string(9'000, 'x') + "\r\n")) ==
          "431 fatal");
    // What was refused while its body came is refused by the head that moved meanwhile.
    const auto chunks = "11000\r\n" + std::string(0x11000, 'A') + "\r\n0\r\n\r\n";
    CHECK(said(world.connect()
                   .send("POST " + kRequests + " HTTP/1.1\r\nHost: cdp.example\r\n" +
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
    CHECK(world.get(kRequests + "/00000000-0000-0000-0000-000000000000", world.token).status ==
          404);
    CHECK(world.get(kRequests + "/nonsense", world.token).status == 404);
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

TEST_CASE("whom nobody has verified proves it where the business says, or is denied", "[drp]") {
    const Network world;
    auto body = world.asking("deletion");
    body["email_verified"] = false;
    const auto waiting = world.send(body).json();
    CHECK(waiting["status"] == "in_progress");
    CHECK(waiting["reason"] == "need_user_verification");
    CHECK(waiting["user_verification_url"] ==
          "https://shop.example/prove?request_id=" + waiting["request_id"].get<std::string>());
    CHECK(waiting.contains("expires_at"));
    // Somebody unknown is answered in the same words.
    body["email"] = "nobody@shop.example";
    auto unknown = world.send(body).json();
    CHECK(unknown["reason"] == waiting["reason"]);
    // An opt-out is not verified.
    body = world.asking("sale:opt_out");
    body.erase("email_verified");
    CHECK_FALSE(world.send(body).json().contains("reason"));
}

TEST_CASE("without a page of the business ours says where the proof is sent", "[drp]") {
    const Network world(terms_of(""));
    auto body = world.asking("access");
    body["email_verified"] = "true";
    const auto waiting = world.send(body).json();
    CHECK(waiting["reason"] == "need_user_verification");
    CHECK(waiting["expires_at"] == waiting["expected_by"]);
    const auto shown = path_in(waiting, "user_verification_url", "/privacy/verify/");
    CHECK(world.ask("GET", shown).status == 200);
    // What an agent hands on shows nothing about a mailbox.
    CHECK(world.ask("POST", shown).status == 409);
    CHECK(world.now(waiting)["reason"] == "need_user_verification");
    const auto& officer = world.keys.at(Role::officer);
    const auto id = api::id_in_uuid(waiting["request_id"].get<std::string>());
    const auto seen = world.get("/v1/privacy/requests/" + id, officer).json();
    const auto sent = path_in(seen["identifiers"][0], "verification_url", "/privacy/verify/");
    CHECK(world.ask("POST", sent).status == 200);
    world.run_due();
    CHECK(world.now(waiting)["status"] == "fulfilled");
}

TEST_CASE("an agent is told where what was asked to be seen is fetched", "[drp]") {
    const Network world;
    const auto status = world.send(world.asking("access")).json();
    CHECK_FALSE(status.contains("results_url"));
    world.run_due();
    const auto done = world.now(status);
    CHECK(done["status"] == "fulfilled");
    CHECK(done.contains("expires_at"));
    const auto report = world.ask("GET", path_in(done, "results_url", "/privacy/results/")).json();
    CHECK(report["report"]["asked"]["value"] == "a@shop.example");
    auto body = world.asking("access");
    body["email"] = "nobody@shop.example";
    const auto nobody = world.send(body).json();
    world.run_due();
    CHECK(world.now(nobody)["reason"] == "no_match");
    CHECK_FALSE(world.now(nobody).contains("results_url"));
}

TEST_CASE("one verified address does not open what another names, and one proof one alone",
          "[drp]") {
    const Network world;
    const auto asked = [&](const char* exercise, bool email, bool phone) {
        auto body = world.asking(exercise);
        body["email_verified"] = email;
        body["phone_number"] = "+4915112345678";
        body["phone_number_verified"] = phone;
        const auto status = world.send(body).json();
        const auto stored = world.platform->privacy().requests.read(
            std::string_view(api::id_in_uuid(status["request_id"].get<std::string>())));
        REQUIRE(stored);
        std::string out;
        for (const auto& [type, value] : stored->identifiers)
            out += (out.empty() ? "" : " ") + type;
        return out;
    };
    for (const auto* exercise : {"deletion", "access", "sale:opt_in"}) {
        CAPTURE(exercise);
        CHECK(asked(exercise, true, false) == "email");
        CHECK(asked(exercise, false, true) == "phone");
        CHECK(asked(exercise, false, false) == "email");
        CHECK(asked(exercise, true, true).size() == std::string("email phone").size());
    }
    // An opt-out is nobody's to prove: all that is named is acted upon.
    for (const bool verified : {true, false})
        CHECK(asked("sale:opt_out", verified, false).size() == std::string("email phone").size());
}

TEST_CASE("who matches nobody is denied for that", "[drp]") {
    const Network world;
    auto body = world.asking("deletion");
    body["email"] = "nobody@shop.example";
    const auto status = world.send(body).json();
    CHECK(status["status"] == "in_progress");
    world.run_due();
    CHECK(world.now(status)["status"] == "denied");
    CHECK(world.now(status)["reason"] == "no_match");
}

TEST_CASE("an agent is called back at its own hosts alone", "[drp]") {
    const Network world;
    auto body = world.asking("sale:opt_out");
    body["status_callback"] = "https://Helper.example/updates";
    const auto allowed = world.send(body).json();
    body["status_callback"] = "https://helper.example@elsewhere.example/updates";
    CHECK(world.send(body).status == 400);
    body["status_callback"] = "https://elsewhere.example/updates";
    const auto refused = world.send(body).json();
    world.run_due();
    auto& requests = world.platform->privacy().requests;
    const auto stored = [&](const json& status) {
        const auto found = requests.read(
            std::string_view(api::id_in_uuid(status["request_id"].get<std::string>())));
        REQUIRE(found);
        return *found;
    };
    CHECK(api::callback_of(stored(allowed)) == "https://Helper.example/updates");
    CHECK(api::callback_of(stored(refused)).empty());
    CHECK(api::callback_refused(stored(refused)));
    const auto owed = requests.owed(cdp::PrivacyProtocol::drp, 10);
    REQUIRE(owed);
    CHECK_FALSE(owed->empty());
    for (const auto& one : *owed) CHECK(one.request == stored(allowed).id);

    const api::OpenDsr place(*world.platform, world.clock, {}, "https://cdp.shop.example");
    const auto& privacy = world.platform->privacy();
    const auto protocol = api::drp_callbacks({place, privacy.secrets, privacy.agents, world.clock});
    const auto told = protocol.status_of(stored(allowed));
    REQUIRE((told && *told));
    CHECK((*told)->status == "fulfilled");
    REQUIRE((*told)->callbacks.size() == 1);
    const auto& callback = (*told)->callbacks[0];
    CHECK(callback.allowed);
    const auto sent = callback.write();
    REQUIRE(sent);
    CHECK(sent->post);
    CHECK(sent->url == "https://Helper.example/updates");
    CHECK(json::parse(sent->body) == world.now(allowed));
    // The agent is registered with other hosts since.
    world.enrol("HELPER", world.key, {"elsewhere.example"});
    const auto later = protocol.status_of(stored(allowed));
    REQUIRE((later && *later));
    CHECK_FALSE((*later)->callbacks[0].allowed);
}

TEST_CASE("an agent is told each status where it listens, and that it was told is a step",
          "[drp]") {
    const tests::Listener agent(tests::Listener::Speaks::tls, tests::answer_of(""));
    const Network world;
    world.enrol("HELPER", world.key, {"localhost"});
    const auto& privacy = world.platform->privacy();
    const api::OpenDsr place(*world.platform, world.clock, {}, "https://cdp.shop.example");
    api::Callbacks callbacks(
        {privacy.requests, world.clock},
        {api::drp_callbacks({place, privacy.secrets, privacy.agents, world.clock})},
        tests::trusting_rules());
    auto body = world.asking("access");
    body["status_callback"] = agent.url("/updates");
    const auto status = world.send(body).json();
    const auto next = callbacks.deliver();
    REQUIRE(next);
    CHECK_FALSE(*next);
    CHECK(agent.served() == 1);
    CHECK(agent.asked().starts_with("POST /updates HTTP/1.1\r\n"));
    world.run_due();
    REQUIRE(callbacks.deliver());
    CHECK(agent.served() == 2);
    const auto stored = privacy.requests.read(
        std::string_view(api::id_in_uuid(status["request_id"].get<std::string>())));
    REQUIRE(stored);
    std::string told;
    for (const auto& step : stored->steps)
        if (step.act == cdp::PrivacyAct::note) told += step.code + " " + step.detail + "\n";
    CHECK(told.starts_with("callback_delivered localhost 200; in_progress\n"));
    CHECK(told.ends_with("callback_delivered localhost told; fulfilled\n"));
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
    CHECK(world.get(kRequests + "/00000000-0000-0000-0000-000000000000", "x").status == 404);
    CHECK(world.ask("POST", kRequests, World::bearer("x"), "AAAA").status == 404);
    CHECK(world.ask("POST", "/v1/agent/HELPER", {}, "AAAA").status == 403);
}
