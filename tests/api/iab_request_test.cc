#include "api/iab_request.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/iab_signer.h"
#include "cdp/base/ids.h"

namespace {

using nlohmann::json;

const std::string kFirst(32, 'f');
const std::string kVendor(32, 'v');

api::IabConfig config() {
    api::IabConfig out;
    out.parties = {
        {"publisher1.example", {std::string(32, 'x'), api::IabSigner(kFirst).public_key()}},
        {"vendor1.example", {api::IabSigner(kVendor).public_key()}}};
    return out;
}

const cdp::Timestamp kNow = cdp::timestamp_of(1'698'767'100'000);

// Signed by who is named: the origin first.
json signed_request(const std::string& origin_seed = kFirst,
                    const std::string& requester_seed = kVendor) {
    json body = json::parse(R"({"version":"1.0","fpRequestId":"12345","rqTransactionId":"1A2B3C",
        "fpTimestamp":"1698767029",
        "fpIdentifier":{"identifierValue":"johndoe@example.com","identifierType":"email",
                        "identifierFormat":"raw"},
        "origin":{"domain":"publisher1.example","signature":"-"},
        "requester":{"domain":"vendor1.example","signature":"-"}})");
    const auto text = [&](const char* domain) {
        return std::string("1.012345") + domain + "1698767029johndoe@example.com";
    };
    body["origin"]["signature"] = api::IabSigner(origin_seed).sign(text("publisher1.example"));
    body["requester"]["signature"] = api::IabSigner(requester_seed).sign(text("vendor1.example"));
    return body;
}

std::string outcome(const json& body, cdp::Timestamp now = kNow) {
    const auto read = api::read_iab_request(body.dump());
    if (!read) return read.error().reason + " " + read.error().pointer;
    const auto identity = api::iab_identity(*read, config());
    if (!identity) return identity.error().reason + " " + identity.error().pointer;
    const auto verified = api::verify_iab_request(*read, config(), now);
    return verified ? "good" : verified.error().reason + " " + verified.error().pointer;
}

TEST_CASE("the digest is the draft's own example") {
    api::IabRequest request;
    request.version = "1.0";
    request.request_id = "12345";
    request.timestamp = "1698767029";
    request.value = "johndoe@example.com";
    CHECK(cdp::to_hex(api::iab_digest(request, "publisher1.com")) ==
          "569c1808da97047d417f271ed15d42a8f57b051e17f9cb19b30920ce624c8af1");
}

TEST_CASE("what both parties signed in time is taken, and nothing else") {
    CHECK(outcome(signed_request()) == "good");
    auto number = signed_request();
    number["fpTimestamp"] = 1698767029;
    CHECK(outcome(number) == "good");
    CHECK(outcome(signed_request(kVendor)) == "signature_wrong /origin/signature");
    CHECK(outcome(signed_request(kFirst, kFirst)) == "signature_wrong /requester/signature");
    auto stranger = signed_request();
    stranger["requester"]["domain"] = "evil.example";
    CHECK(outcome(stranger) == "party_unknown /requester/domain");
    // A signature by the requester is none by the origin.
    auto swapped = signed_request();
    std::swap(swapped["origin"]["signature"], swapped["requester"]["signature"]);
    CHECK(outcome(swapped) == "signature_wrong /origin/signature");
    for (const auto& [pointer, value] : std::vector<std::pair<std::string, json>>{
             {"/fpRequestId", "12346"},
             {"/fpTimestamp", "1698767028"},
             {"/fpIdentifier/identifierValue", "janedoe@example.com"}}) {
        auto forged = signed_request();
        forged[json::json_pointer(pointer)] = value;
        CHECK(outcome(forged) == "signature_wrong /origin/signature");
    }
    CHECK(outcome(signed_request(), kNow + std::chrono::days(46)) ==
          "request_expired /fpTimestamp");
    CHECK(outcome(signed_request(), kNow - std::chrono::minutes(10)) ==
          "request_in_future /fpTimestamp");
}

TEST_CASE("a type, which nobody signs, is one that both parties may send") {
    auto body = signed_request();
    const auto with_type = [&](std::size_t party, std::vector<std::string> types) {
        auto known = config();
        known.parties[party].identifier_types = std::move(types);
        body["fpIdentifier"]["identifierType"] = "user_id";
        const auto verified =
            api::verify_iab_request(*api::read_iab_request(body.dump()), known, kNow);
        return verified ? "good" : verified.error().reason + " " + verified.error().pointer;
    };
    const std::string forbidden = "identifier_type_forbidden /fpIdentifier/identifierType";
    CHECK(with_type(0, {"email"}) == forbidden);
    CHECK(with_type(0, {"user_id"}) == forbidden);
    CHECK(with_type(1, {"user_id"}) == forbidden);
    auto both = config();
    for (auto& party : both.parties) party.identifier_types = {"user_id"};
    CHECK(api::verify_iab_request(*api::read_iab_request(body.dump()), both, kNow));
    body["fpIdentifier"]["identifierType"] = "phone";
    CHECK(outcome(body) == "good");
}

TEST_CASE("fields that run into each other are kept apart by what they may hold") {
    auto moved = signed_request();
    moved["version"] = "1.01";
    moved["fpRequestId"] = "2345";
    CHECK(outcome(moved) == "version_unsupported /version");
    moved = signed_request();
    moved["fpRequestId"] = "12345publisher1.example";
    CHECK(outcome(moved) == "malformed_id /fpRequestId");
    moved = signed_request();
    moved["fpTimestamp"] = "16987670291";
    CHECK(outcome(moved) == "malformed_time /fpTimestamp");
}

TEST_CASE("a signature comes in hexadecimal or base64") {
    const auto request = *api::read_iab_request(signed_request().dump());
    const auto digest = api::iab_digest(request, "publisher1.example");
    const auto key = api::IabSigner(kFirst).public_key();
    const auto hex = request.origin.signature;
    REQUIRE(hex.starts_with("0x"));
    const auto bytes = *cdp::from_hex(std::string_view(hex).substr(2));
    CHECK(api::is_iab_signature(key, digest, hex));
    CHECK(api::is_iab_signature(key, digest, hex.substr(2)));
    CHECK(api::is_iab_signature(key, digest, api::to_base64url(bytes)));
    CHECK_FALSE(api::is_iab_signature(key, digest, api::to_base64url(bytes.substr(1))));
    CHECK_FALSE(api::is_iab_signature(key, digest, ""));
    CHECK_FALSE(api::is_iab_signature("short", digest, hex));
    CHECK(api::from_base64url(api::to_base64url(bytes)) == bytes);
}

TEST_CASE("the ids of what cannot be read are those that are ids") {
    const auto ids = [](const std::string& body) {
        const auto found = api::iab_ids_in(body);
        return found.request_id + " " + found.transaction_id;
    };
    CHECK(ids(R"({"fpRequestId":"r-1","rqTransactionId":"t_1"})") == "r-1 t_1");
    CHECK(ids(R"({"fpRequestId":"r.1","rqTransactionId":"t_1"})") == " t_1");
    CHECK(ids(R"({"fpRequestId":5,"rqTransactionId":""})") == " ");
    CHECK(ids("[]") == " ");
    CHECK(ids("{") == " ");
    CHECK(ids(json{{"fpRequestId", std::string(129, 'a')}}.dump()) == " ");
}

TEST_CASE("a request that is not whole is refused, with its place") {
    for (const auto* name : {"version", "fpRequestId", "rqTransactionId"}) {
        auto body = signed_request();
        body.erase(name);
        CHECK(outcome(body) == std::string("member_missing /") + name);
        body[name] = 5;
        CHECK(outcome(body) == std::string("wrong_type /") + name);
    }
    for (const auto* name : {"fpIdentifier", "origin", "requester"}) {
        auto body = signed_request();
        body.erase(name);
        CHECK(outcome(body) == std::string("member_missing /") + name);
        body[name] = "x";
        CHECK(outcome(body) == std::string("wrong_type /") + name);
    }
    auto body = signed_request();
    body["fpIdentifier"]["identifierType"] = "shoe_size";
    CHECK(outcome(body) == "identifier_type_unknown /fpIdentifier/identifierType");
    body = signed_request();
    body["fpIdentifier"]["identifierFormat"] = "rot13";
    CHECK(outcome(body) == "identifier_format_unknown /fpIdentifier/identifierFormat");
    body["fpIdentifier"]["identifierFormat"] = "sha256";
    CHECK(outcome(body) == "malformed_hash /fpIdentifier/identifierValue");
}

}  // namespace
