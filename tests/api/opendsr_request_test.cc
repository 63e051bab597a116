#include "api/opendsr_request.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "api/opendsr_answer.h"
#include "tests/api/opendsr_examples.h"

namespace {

using nlohmann::json;

const api::IdentityTypes kTypes = api::default_identity_types();

api::OpenDsrReading reading() {
    return {.domain = "example-processor.com",
            .identity_types = kTypes,
            .now = *cdp::parse_time("2018-10-02T15:00:01Z")};
}

std::string refusal_of(const std::string& body) {
    const auto read = api::read_opendsr_request(body, reading());
    if (read) return "read";
    CHECK(read.error().code == cdp::ErrorCode::invalid_argument);
    return read.error().reason + " " + read.error().pointer;
}

json good() {
    return json::parse(R"({"regulation":"gdpr","api_version":"2.0",
        "subject_request_id":"a7551968-d5d6-44b2-9831-815ac9017798",
        "subject_request_type":"erasure","submitted_time":"2018-10-02T15:00:00Z",
        "subject_identities":[{"identity_type":"email","identity_value":"johndoe@example.com",
                               "identity_format":"raw"}]})");
}

// The good one with one change.
template <typename Change>
std::string changed(const Change& change) {
    auto body = good();
    change(body);
    return refusal_of(body.dump());
}

TEST_CASE("the specification's requests are read, or refused for what we decided") {
    const auto examples = tests::opendsr_examples();
    if (examples.empty()) return;
    const auto sample =
        api::read_opendsr_request(examples.at("Sample Request Object").dump(), reading());
    REQUIRE(sample);
    CHECK(sample->id == "a7551968-d5d6-44b2-9831-815ac9017798");
    CHECK(sample->type == api::OpenDsrType::erasure);
    CHECK(sample->regulation == "gdpr");
    CHECK(sample->callback_urls ==
          std::vector<std::string>{"https://example-controller.com/opendsr/callbacks"});
    REQUIRE(sample->identities.size() == 1);
    CHECK(sample->identities[0].type == "email");
    CHECK_FALSE(sample->identities[0].hash);

    // §7.2 lacks what §7.1 requires.
    auto request = examples.at("7.2.  Example OpenDSR Request");
    CHECK(refusal_of(request.dump()) == "regulation_missing /regulation");
    request["api_version"] = "1.0";
    CHECK(refusal_of(request.dump()) == "read");
    request.erase("api_version");
    CHECK(refusal_of(request.dump()) == "read");
}

TEST_CASE("a request that is not whole or not sound is refused, with its place") {
    CHECK(refusal_of(good().dump()) == "read");
    CHECK(refusal_of("") == "malformed_json ");
    CHECK(refusal_of("[]") == "wrong_type ");
    CHECK(refusal_of(R"({"regulation":"gdpr","regulation":"ccpa"})") ==
          "duplicate_key /regulation");
    for (const auto* name : {"subject_request_id", "subject_request_type", "submitted_time"}) {
        CAPTURE(name);
        CHECK(changed([&](json& body) { body.erase(name); }) ==
              std::string("member_missing /") + name);
        CHECK(changed([&](json& body) { body[name] = 5; }) == std::string("wrong_type /") + name);
    }
    const auto with = [](const char* name, json value) {
        return changed([&](json& body) { body[name] = std::move(value); });
    };
    for (const auto* id :
         {"A7551968-D5D6-44B2-9831-815AC9017798", "a7551968-d5d6-14b2-9831-815ac9017798",
          "a7551968-d5d6-44b2-c831-815ac9017798", "a7551968d5d644b29831815ac9017798", "x"})
        CHECK(with("subject_request_id", id) == "request_id_malformed /subject_request_id");
    CHECK(with("subject_request_type", "delete") == "request_type_unknown /subject_request_type");
    CHECK(with("regulation", "lgpd") == "regulation_unknown /regulation");
    for (const auto* version : {"3.0", "0.9", "two", "2.0-beta", "2x"})
        CHECK(with("api_version", version) == "api_version_unsupported /api_version");
    CHECK(with("submitted_time", "yesterday") == "malformed_time /submitted_time");
}

TEST_CASE("what was submitted too long ago, or is yet to be, may be a replay") {
    const auto at = [](const char* time) {
        return changed([&](json& body) { body["submitted_time"] = time; });
    };
    CHECK(at("2018-10-02T15:05:01Z") == "read");
    CHECK(at("2018-10-02T15:05:02Z") == "submitted_in_future /submitted_time");
    CHECK(at("2018-08-18T15:00:01Z") == "read");
    CHECK(at("2018-08-18T15:00:00Z") == "submitted_too_long_ago /submitted_time");
}

TEST_CASE("identities are of known types, in known formats, and not too many") {
    const auto first = [](const char* name, json value) {
        return changed([&](json& body) { body["subject_identities"][0][name] = std::move(value); });
    };
    const std::string at = " /subject_identities/0";
    CHECK(first("identity_type", "shoe_size") == "identity_type_unknown" + at + "/identity_type");
    CHECK(first("identity_format", "plain") == "identity_format_unknown" + at + "/identity_format");
    CHECK(first("identity_format", "sha256") == "malformed_hash" + at + "/identity_value");
    CHECK(first("identity_value", "") == "member_missing" + at + "/identity_value");
    CHECK(changed([](json& body) { body["subject_identities"] = json::array(); }) ==
          "identities_missing /subject_identities");
    CHECK(changed([](json& body) {
              body["subject_identities"] = json(51, body["subject_identities"][0]);
          }) == "too_many_identities /subject_identities");
    CHECK(changed([](json& body) { body["subject_identities"][0] = 7; }) == "wrong_type" + at);

    auto body = good();
    body["subject_identities"][0] = {{"identity_type", "ios_advertising_id"},
                                     {"identity_value", "0CC175B9C0F1B6A831C399E269772661"},
                                     {"identity_format", "md5"}};
    const auto read = api::read_opendsr_request(body.dump(), reading());
    REQUIRE(read);
    CHECK(read->identities[0].type == "ios.idfa");
    CHECK(read->identities[0].hash == cdp::HashKind::md5);
    CHECK(read->identities[0].value == "0cc175b9c0f1b6a831c399e269772661");
}

TEST_CASE("our extension names identities by our types, others' are not read") {
    auto body = good();
    body.erase("subject_identities");
    body["extensions"] = {
        {"example-other-processor.com", {{"identities", 5}}},
        {"example-processor.com",
         {{"identities", {{{"identity_type", "loyalty_id"}, {"identity_value", "L-1"}}}}}}};
    const auto read = api::read_opendsr_request(body.dump(), reading());
    REQUIRE(read);
    CHECK(read->identities.at(0).type == "loyalty_id");
    body["extensions"]["example-processor.com"]["identities"][0]["identity_type"] = "No type";
    CHECK(refusal_of(body.dump()) ==
          "identity_type_unknown /extensions/example-processor.com/identities/0/identity_type");
    body["extensions"] = 5;
    CHECK(refusal_of(body.dump()) == "wrong_type /extensions");
}

TEST_CASE("callbacks are URLs, and few") {
    const auto with = [](json urls) {
        return changed([&](json& body) { body["status_callback_urls"] = std::move(urls); });
    };
    CHECK(with({"https://dsr.crm.example/a"}) == "read");
    CHECK(with({"https://dsr.crm.example/a", "javascript:1"}) ==
          "url_malformed /status_callback_urls/1");
    CHECK(with(json(9, "https://dsr.crm.example/a")) == "too_many_callbacks /status_callback_urls");
    // What is kept with a request has room for them.
    const auto url = "https://dsr.crm.example/" + std::string(2'000, 'a');
    CHECK(with(json(4, url)) == "read");
    CHECK(with(json(5, url)) == "too_many_callbacks /status_callback_urls");
    CHECK(with("https://dsr.crm.example/a") == "wrong_type /status_callback_urls");
}

api::OpenDsrState state_of(const json& example) {
    api::OpenDsrState state;
    state.controller_id = example.value("controller_id", "");
    state.subject_request_id = example.value("subject_request_id", "");
    state.api_version = example.value("api_version", "");
    state.received = cdp::parse_time(example.value("received_time", "")).value_or(state.received);
    state.expected_completion =
        cdp::parse_time(example.value("expected_completion_time", "")).value_or(state.received);
    state.results_url = example.value("results_url", "");
    if (example.contains("results_count")) state.results_count = example["results_count"];
    return state;
}

TEST_CASE("the specification's answers are what we would have answered") {
    const auto examples = tests::opendsr_examples();
    if (examples.empty()) return;
    const auto& received = examples.at("7.4.  Example OpenDSR Response");
    auto ours = json::parse(api::render_received(state_of(received), "{}"));
    CHECK(ours["encoded_request"] == "e30=");
    ours["encoded_request"] = received["encoded_request"];
    CHECK(ours == received);
    const auto& status = examples.at("8.4.  Example Status Response");
    CHECK(json::parse(api::render_status(state_of(status))) == status);
    const auto& callback = examples.at("8.7. Callback Request Example");
    CHECK(json::parse(api::render_callback(state_of(callback), callback["status_callback_url"])) ==
          callback);
    const auto& cancelled = examples.at("9.3.  Example OpenDSR Cancellation Response");
    CHECK(json::parse(api::render_cancelled(state_of(cancelled), state_of(cancelled).received)) ==
          cancelled);
    const auto& discovery = examples.at("6.4.  Example Discovery Response");
    const auto found =
        json::parse(api::render_discovery({.identity_types = kTypes,
                                           .certificate_url = discovery["processor_certificate"],
                                           .access = false}));
    CHECK(found["api_version"] == discovery["api_version"]);
    CHECK(found["processor_certificate"] == discovery["processor_certificate"]);
    CHECK(found["supported_subject_request_types"] == discovery["supported_subject_request_types"]);
    for (const auto& identity : discovery["supported_identities"])
        CHECK(std::ranges::find(found["supported_identities"], identity) !=
              found["supported_identities"].end());
    const auto& error = examples.at("7.7.  Example OpenDSR Error Response");
    const auto refusal = json::parse(api::render_refusal(
        {.status = 400, .code = "member_missing", .message = error["error"]["message"]}));
    CHECK(refusal["error"]["code"] == error["error"]["code"]);
    CHECK(refusal["error"]["message"] == error["error"]["message"]);
    CHECK(refusal["error"]["errors"][0]["domain"] == error["error"]["errors"][0]["domain"]);
}

TEST_CASE("no example of the specification is left out") {
    const auto examples = tests::opendsr_examples();
    if (examples.empty()) return;
    CHECK(examples.size() == 9);
    // The extension's schema is mParticle's own: an object of objects by domain, as ours is.
    CHECK(examples.at("Schema")["properties"].contains("opendsr.mparticle.com"));
}

}  // namespace
