#include "api/opendsr.h"

#include <filesystem>
#include <set>

#include "api/iab_request.h"
#include "tests/api/opendsr_keys.h"

namespace {

using tests::signed_as;
using tests::World;
using tests::world_with;

TEST_CASE("discovery names what is served, and the certificate that signed it") {
    const tests::OpenDsrKeys keys;
    const auto world = world_with(keys.config());
    for (const auto* path : {"/v2/discovery", "/v1/discovery", "/discovery"}) {
        const auto reply = world.ask("GET", path);
        CHECK(reply.status == 200);
        CHECK(signed_as(reply) == "signed");
        CHECK(reply.json()["api_version"] == "2.0");
        CHECK(reply.json()["processor_certificate"] == "https://localhost/v2/certificate.pem");
        CHECK(reply.json()["self_signed"] == true);
    }
    const auto certificate = world.ask("GET", "/v2/certificate.pem");
    CHECK(certificate.header("content-type") == "application/x-pem-file");
    CHECK(certificate.body == tests::local_credentials().certificate);
    CHECK(signed_as(certificate) == "signed");
}

TEST_CASE("whoever refuses on a path of the protocol does so in its shape, signed") {
    const tests::OpenDsrKeys keys;
    const auto world = world_with(keys.config());
    const auto reply = world.ask("POST", "/v2/discovery", "", "{}");
    CHECK(reply.status == 405);
    CHECK(reply.header("content-type") == "application/json");
    CHECK(signed_as(reply) == "signed");
    const auto error = reply.json()["error"];
    CHECK(error["code"] == 405);
    CHECK(error["errors"][0]["reason"] == "method_not_allowed");
    CHECK(world.ask("GET", "/v2/nothing").code() == "no_such_route");
}

TEST_CASE("what nobody needs a key for repeats nothing of the question, so it is signed once") {
    const tests::OpenDsrKeys keys;
    const auto world = world_with(keys.config());
    std::set<std::string> signatures;
    for (const auto* query : {"?a=1", "?b=2", "?format=json&format=json"}) {
        const auto reply = world.ask("GET", std::string("/v2/results/x") + query);
        CHECK(reply.status == 400);
        CHECK(signed_as(reply) == "signed");
        CHECK(reply.json()["error"]["errors"][0]["reason"].get<std::string>().ends_with(
            "_parameter"));
        signatures.insert(reply.header("x-opendsr-signature"));
    }
    CHECK(signatures.size() == 2);  // unknown, repeated
}

TEST_CASE(
    "what is no request, or none that is served, is refused in the protocol's shape below its "
    "paths") {
    const tests::OpenDsrKeys keys;
    const auto world = world_with(keys.config());
    const std::string host = "Host: cdp.example\r\n";
    const auto refused = [&](const std::string& bytes, const std::string& prefix = "x-opendsr-") {
        auto wire = world.connect();
        const auto reply = wire.send(bytes).read();
        CHECK(signed_as(reply, prefix) == "signed");
        CHECK(reply.header("content-type") == "application/json");
        const auto error = reply.json()["error"];
        CHECK(error["code"] == reply.status);
        return std::to_string(reply.status) + " " + error["errors"][0]["reason"].get<std::string>();
    };
    const auto head = [&](const std::string& line, const std::string& fields = "") {
        return line + " HTTP/1.1\r\n" + host + fields + "\r\n";
    };
    for (const auto* path : {"/v2/requests/a/b", "/v2/requests/", "/v2/results", "/v2/discovery/a",
                             "/requests/a/status", "/v2/certificate.pem/a"})
        CHECK(refused(head(std::string("GET ") + path)) == "404 no_such_route");
    CHECK(refused(head("GET /opengdpr_requests/a/b"), "x-opengdpr-") == "404 no_such_route");
    CHECK(refused(head("GET /v2/requests/a%00")) == "400 malformed_target");
    CHECK(refused(head("GET /v2/requests/../a")) == "400 malformed_target");
    CHECK(refused(head("GET /v2/requests/" + std::string(9'000, 'a'))) == "414 target_too_long");
    CHECK(refused(head("GET /v2/requests/a", "X: " + std::string(17'000, 'a') + "\r\n")) ==
          "431 headers_too_large");
    CHECK(refused(head("BREW /v2/requests/a")) == "501 method_unknown");
    CHECK(refused("GET /v2/requests/a HTTP/3.0\r\n" + host + "\r\n") ==
          "505 http_version_unsupported");
    CHECK(refused(head("GET /v2/requests/a", host)) == "400 malformed_host");
    CHECK(refused(head("POST /v2/requests", "Transfer-Encoding: gzip\r\n")) ==
          "501 transfer_coding_unknown");
    CHECK(refused(head("GET /v2/requests/a", "Expect: tea\r\n")) == "417 expectation_unknown");
    CHECK(refused(head("GET /v2/requests/a", "A: b\nC: d\r\n")) == "400 malformed_request");
    CHECK(refused(head("POST /v2/requests", World::bearer(world.keys.at(cdp::Role::officer)) +
                                                "Content-Encoding: br\r\nContent-Length: 1\r\n") +
                  "x") == "415 content_coding_unknown");
    CHECK(refused("GET /v2/requests/a HTTP/1.1\r\nHos") == "408 request_timeout");
    // Others are refused as ever.
    for (const auto* path :
         {"/v2/requestsa", "/v2/nothing", "/v1/requests%00", "/a/v2/requests%00"})
        CHECK(world.ask("GET", path).header("content-type") == "application/problem+json");
}

TEST_CASE("a server without a certificate makes one, once, and says that nobody vouches for it") {
    // Making a key takes longer than tests wait for answers.
    World world(api::Limits{});
    const auto first = world.ask("GET", "/discovery");
    REQUIRE(first.status == 200);
    CHECK(first.json()["self_signed"] == true);
    CHECK(first.header("x-opendsr-processor-domain") == "localhost");
    const auto pem = world.ask("GET", "/v2/certificate.pem").body;
    const auto certificate = api::read_certificate(pem);
    REQUIRE(certificate);
    CHECK(api::names(*certificate, "localhost"));
    // Who starts later on the same store has the same.
    const api::OpenDsr again(*world.platform, world.clock, {}, "");
    CHECK((*again.signer())->certificate() == pem);
    const api::OpenDsr elsewhere(*world.platform, world.clock, {}, "https://dsr.shop.example");
    CHECK((*elsewhere.signer())->domain() == "dsr.shop.example");
    CHECK(elsewhere.url("/a") == "https://dsr.shop.example/a");
    // The domain that the certificate names is where it is spoken.
    api::OpenDsrConfig config;
    config.domain = "dsr.shop.example";
    const api::OpenDsr named(*world.platform, world.clock, config, "https://cdp.shop.example");
    CHECK(named.url("/a") == "https://dsr.shop.example/a");
}

TEST_CASE("openssl itself verifies an answer") {
    const tests::OpenDsrKeys keys;
    const auto world = world_with(keys.config());
    const auto reply = world.ask("GET", "/discovery");
    const auto run = [](const std::string& command) {
        return std::system((command + " >/dev/null 2>&1").c_str());
    };
    REQUIRE(run("openssl version") == 0);
    REQUIRE(storage::write_new_file(keys.path("body"), reply.body));
    REQUIRE(storage::write_new_file(keys.path("signature"),
                                    reply.header("x-opendsr-signature") + "\n"));
    const auto verify = "openssl base64 -d -A -in '" + keys.path("signature") + "' > '" +
                        keys.path("raw") + "' && openssl x509 -in '" + keys.path("certificate") +
                        "' -pubkey -noout > '" + keys.path("public") +
                        "' && openssl dgst -sha256 -verify '" + keys.path("public") +
                        "' -signature '" + keys.path("raw") + "' '" + keys.path("body") + "'";
    CHECK(run(verify) == 0);
    REQUIRE(storage::replace_file(keys.path("body"), reply.body + " "));
    CHECK(run(verify) != 0);
}

TEST_CASE("a server with a certificate that does not fit does not start") {
    const tests::OpenDsrKeys keys;
    World world;
    const auto start = [&](const api::OpenDsrConfig& config) {
        api::ServerOptions options;
        options.opendsr = config;
        const auto started =
            api::Server::start(*world.platform, *world.access, world.clock, options);
        return started ? "started" : started.error().reason;
    };
    auto config = keys.config();
    CHECK(start(config) == "started");
    config.domain = "dsr.shop.example";
    CHECK(start(config) == "certificate_foreign");
    config = keys.config();
    config.certificate = keys.path("none");
    CHECK(start(config) == "certificate_missing");
    config = keys.config();
    std::filesystem::permissions(config.key, std::filesystem::perms::others_read,
                                 std::filesystem::perm_options::add);
    CHECK(start(config) == "key_exposed");
    const auto now = world.clock.now();
    const auto expired = api::make_self_signed("localhost", now - std::chrono::days(4000));
    const auto early = api::make_self_signed("localhost", now + std::chrono::days(10));
    REQUIRE((expired && early));
    CHECK(start(tests::OpenDsrKeys(*expired).config()) == "certificate_not_in_force");
    CHECK(start(tests::OpenDsrKeys(*early).config()) == "certificate_not_in_force");
}

TEST_CASE("no key is made or read by whoever serves the network") {
    const tests::OpenDsrKeys keys;
    World world;
    const api::OpenDsr dsr(*world.platform, world.clock, keys.config(), "");
    CHECK(dsr.ready_signer() == nullptr);
    CHECK(dsr.ready_iab_signer() == nullptr);
    const auto signer = dsr.signer();
    const auto iab_signer = dsr.iab_signer();
    REQUIRE((signer && iab_signer));
    CHECK(dsr.ready_signer() == *signer);
    CHECK(dsr.ready_iab_signer() == *iab_signer);
    // Whoever starts later on the same store signs with the same.
    const api::OpenDsr again(*world.platform, world.clock, keys.config(), "");
    CHECK((*again.iab_signer())->public_key() == dsr.ready_iab_signer()->public_key());
    const auto found = world.ask("GET", "/.well-known/dsrdelete.json").json();
    CHECK(api::from_base64url(found["keys"][0]["x"].get<std::string>()) ==
          dsr.ready_iab_signer()->public_key());
}

}  // namespace
