#include "api/proof_link.h"

#include "cdp/privacy.h"
#include "cdp/privacy_requests.h"
#include "tests/api/world.h"

// Whoever receives a link at an address shows by it that they have it.

namespace {

using cdp::Role;
using nlohmann::json;
using tests::Reply;
using tests::World;

const std::string kRequests = "/v1/privacy/requests";

struct Office : World {
    Office() {
        receive(
            R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":"a@shop.example"}})");
        receive(
            R"({"type":"identify","userId":"u2","messageId":"m2","traits":{"email":"b@shop.example"}})");
    }
    const std::string& officer() const { return keys.at(Role::officer); }
    json submit(const std::vector<std::string>& addresses) const {
        json body{{"kind", "access"}, {"reason", "asked"}, {"identifiers", json::array()}};
        for (const auto& address : addresses)
            body["identifiers"].push_back({{"type", "email"}, {"value", address}});
        const auto taken = post(kRequests, officer(), body.dump());
        REQUIRE(taken.status == 200);
        return taken.json();
    }
    json now(const json& request) const {
        return get(kRequests + "/" + request["id"].get<std::string>(), officer()).json();
    }
    cdp::PrivacyRequest stored(const json& request) const {
        return *platform->privacy().requests.read(
            std::string_view(request["id"].get<std::string>()));
    }
    // Of the link for an address.
    static std::string path_of(const json& request, const std::string& address) {
        for (const auto& one : request["identifiers"])
            if (one["value"] == address) {
                const auto url = one.value("verification_url", "");
                const auto at = url.find("/privacy/verify/");
                REQUIRE(at != url.npos);
                return url.substr(at);
            }
        FAIL("no such identifier");
        return "";
    }
    Reply confirm(const std::string& path) const {
        return ask("POST", path, "Content-Type: application/x-www-form-urlencoded\r\n",
                   "confirm=yes");
    }
    std::string users_of(const Reply& report) const {
        std::string out;
        const auto document = report.json();
        for (const auto& one : document["identifiers"])
            if (one["type"] == "user_id") out += one["value"].get<std::string>();
        return out;
    }
};

}  // namespace

TEST_CASE("one who receives the link proves the address, and what was asked is done", "[privacy]") {
    const Office world;
    const auto request = world.submit({"a@shop.example"});
    CHECK(request["status"] == "waiting_for_verification");
    const auto path = Office::path_of(request, "a@shop.example");
    CHECK(path.find("shop") == path.npos);
    const auto page = world.ask("GET", path + "?lang=en&tail=1");
    CHECK(page.status == 200);
    CHECK(page.header("content-security-policy").find("form-action 'self'") != std::string::npos);
    CHECK(page.body.find("to tell you what is held about you") != std::string::npos);
    CHECK(page.body.find("a…@shop.example") != std::string::npos);
    CHECK(page.body.find("a@shop.example") == std::string::npos);
    CHECK(world.ask("GET", path + "?lang=ko").body.find("본인 확인") != std::string::npos);
    // Whoever looks, such as a mail scanner, changes nothing.
    CHECK(world.now(request)["status"] == "waiting_for_verification");
    CHECK(world.confirm(path).status == 200);
    const auto done = world.now(request);
    CHECK(done["status"] == "fulfilled");
    CHECK(done["verified_by"] == "link");
    CHECK_FALSE(done["identifiers"][0].contains("verification_url"));
    const auto again = world.confirm(path);
    CHECK(again.status == 200);
    CHECK(again.body.find("does not wait") != std::string::npos);
    CHECK(world.now(request)["steps"].size() == done["steps"].size());
}

TEST_CASE("one mailbox proves one identifier: what else was named is left out", "[privacy]") {
    const Office world;
    const auto request = world.submit({"a@shop.example", "b@shop.example"});
    const auto other = Office::path_of(request, "b@shop.example");
    REQUIRE(world.confirm(Office::path_of(request, "a@shop.example")).status == 200);
    const auto done = world.now(request);
    CHECK(done["status"] == "fulfilled");
    REQUIRE(done["identifiers"].size() == 1);
    CHECK(done["identifiers"][0]["value"] == "a@shop.example");
    CHECK(done["reason"] == "asked");
    CHECK(done["named"] == 2);
    CHECK(world.confirm(other).body.find("does not wait") != std::string::npos);
    const auto url = done["results_url"].get<std::string>();
    const auto report = world.ask("GET", url.substr(url.find("/privacy/")));
    CHECK(world.users_of(report) == "u1");
    while (*world.platform->ledger().publish(world.clock.now())) continue;
    const auto checked = world.platform->check_ledger([](auto, auto) { return true; });
    REQUIRE(checked);
    CHECK_FALSE(checked->fault);
}

TEST_CASE("what is handed on by whoever asks in somebody's name proves nothing", "[privacy]") {
    const Office world;
    const auto request = world.submit({"a@shop.example"});
    const auto& secrets = world.platform->privacy().secrets;
    const auto path = api::awaited_proof_path(secrets, world.stored(request));
    const auto page = world.ask("GET", path);
    CHECK(page.status == 200);
    CHECK(page.body.find("a…@shop.example") != std::string::npos);
    CHECK(page.body.find("<form") == std::string::npos);
    CHECK(world.confirm(path).status == 409);
    CHECK(world.now(request)["status"] == "waiting_for_verification");
}

TEST_CASE("a link to prove that is made up, too old or of somebody erased opens nothing",
          "[privacy]") {
    const Office world;
    const auto request = world.submit({"a@shop.example"});
    auto path = Office::path_of(request, "a@shop.example");
    const auto& secrets = world.platform->privacy().secrets;
    const auto then = world.clock.now() - api::kProofLinkLife;
    const auto old = api::proof_paths(secrets, world.stored(request), then);
    REQUIRE(old.size() == 1);
    CHECK(world.ask("GET", old[0]).status == 410);
    CHECK(world.confirm(old[0]).status == 410);
    CHECK(world.now(request)["status"] == "waiting_for_verification");
    const json erase{{"identifier", {{"type", "email"}, {"value", "a@shop.example"}}}};
    REQUIRE(world.post("/v1/privacy/erasures", world.officer(), erase.dump()).status == 200);
    CHECK(world.confirm(path).body.find("shop.example") == std::string::npos);
    CHECK(world.now(request)["status"] != "fulfilled");
    path.back() = path.back() == '0' ? '1' : '0';
    CHECK(world.ask("GET", path).status == 404);
    CHECK(world.confirm(path).status == 404);
    CHECK(world.ask("GET", "/privacy/verify/abc").status == 404);
}
