#include "api/drp_callbacks.h"
#include "api/drp_request.h"
#include "consent/entry.h"
#include "tests/api/drp_network.h"
#include "tests/api/listener.h"

// What becomes of requests that agents bring by the Data Rights Protocol, and what they are told.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::Network;
using tests::path_in;
using tests::SigningKey;
using tests::terms_of;
using tests::World;

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

TEST_CASE("what was shown is said to have expired once it is not given any more", "[drp]") {
    using std::chrono::milliseconds;
    const auto until = *cdp::parse_time("2026-11-29T10:00:00Z");
    cdp::PrivacyRequest request{.kind = cdp::PrivacyKind::access,
                                .state = cdp::PrivacyState::fulfilled};
    request.results = {.matched = true, .until = until};
    CHECK(api::drp_standing(request, until - milliseconds(1)) == "fulfilled");
    CHECK(api::drp_standing(request, until) == "expired");
    const auto told = json::parse(api::drp_status(request, {}, until));
    CHECK(told["status"] == "expired");
    CHECK_FALSE(told.contains("results_url"));
    request.kind = cdp::PrivacyKind::erasure;
    request.results.until.reset();
    CHECK(api::drp_standing(request, until) == "fulfilled");
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

TEST_CASE("a request names the registration it was signed by, which outlives its end", "[drp]") {
    const Network world;
    const auto& admin = world.keys.at(Role::admin);
    const auto listed = [&] { return world.get("/v1/privacy/agents", admin).json(); };
    const auto registration = listed()["agents"][0]["registration"].get<std::string>();
    const auto status = world.send(world.asking("deletion")).json();
    const auto stored = world.platform->privacy().requests.read(
        std::string_view(api::id_in_uuid(status["request_id"].get<std::string>())));
    REQUIRE(stored);
    CHECK(stored->sender == "agent:HELPER");
    CHECK(stored->steps.front().detail == "registration " + registration);
    CHECK(listed()["ended"].empty());
    const SigningKey next;
    world.enrol("HELPER", next);
    REQUIRE(world.ask("DELETE", "/v1/privacy/agents/HELPER", World::bearer(admin)).status == 200);
    CHECK(listed()["agents"].empty());
    const auto ended = listed()["ended"];
    REQUIRE(ended.size() == 2);
    CHECK(ended[0]["registration"] == registration);
    CHECK(ended[0]["verify_key"] == world.key.verify_key());
    CHECK(ended[1]["verify_key"] == next.verify_key());
    for (const auto& one : ended) {
        CHECK(one["ended_by"] == "admin:admin");
        CHECK(one["ended"] >= one["registered"]);
        CHECK(one["set_up"] == false);
    }
    while (*world.platform->ledger().publish(world.clock.now())) continue;
    const auto checked = world.platform->check_ledger([](auto, auto) { return true; });
    REQUIRE(checked);
    CHECK_FALSE(checked->fault);
    // Each registration and each end is an entry; one that is not there would be a fault.
    std::size_t rows = 0;
    REQUIRE(cdp::each_agent(*world.store->snapshot(), world.vault, [&](const auto& one) {
        REQUIRE(one);
        const auto commitment = one->ended ? one->commitment_of_end() : one->commitment();
        CHECK(*world.store->snapshot()->get(consent::entry_index_key(commitment)));
        return ++rows > 0;
    }));
    CHECK(rows == 2);
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
    const auto codes = [&](const json& status) {
        std::string out;
        for (const auto& step : stored(status).steps) out += step.code + ' ';
        return out;
    };
    CHECK(codes(refused).find("callback_not_allowed") == 1);
    CHECK(codes(allowed).find("callback_not_allowed") == std::string::npos);
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

TEST_CASE("who asks for categories is sent to kinds of data, and to no datum", "[drp]") {
    const Network world;
    const auto status = world.send(world.asking("access:categories")).json();
    world.run_due();
    const auto done = world.now(status);
    CAPTURE(done.dump());
    REQUIRE(done["status"] == "fulfilled");
    const auto report = world.ask("GET", path_in(done, "results_url", "/privacy/results/"));
    REQUIRE(report.status == 200);
    CAPTURE(report.body);
    CHECK(report.json().contains("categories"));
    for (const auto* datum : {"a@shop.example", "u1", "gold"})
        CHECK(report.body.find(datum) == std::string::npos);
    const auto specific = world.send(world.asking("access:specific")).json();
    world.run_due();
    const auto whole =
        world.ask("GET", path_in(world.now(specific), "results_url", "/privacy/results/"));
    CHECK(whole.body.find("gold") != std::string::npos);
}

}  // namespace
