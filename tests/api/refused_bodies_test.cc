#include <functional>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "api/audit_check.h"
#include "api/decision_request.h"
#include "api/opendsr_request.h"
#include "api/receipt_check.h"
#include "api/simulation_request.h"
#include "tests/support/held.h"

// Whoever may send a body may send it again and again.

namespace {

std::string refusal(const auto& read) {
    return read ? "read" : read.error().reason;
}

std::string opendsr_refusal(std::string_view body) {
    static const auto types = api::default_identity_types();
    return refusal(
        api::read_opendsr_request(body, {.domain = "example-processor.com",
                                         .identity_types = types,
                                         .now = *cdp::parse_time("2018-10-02T15:00:01Z")}));
}

std::string simulation_refusal(std::string_view body) {
    static const auto types = identity::IdentifierTypes::defaults();
    return refusal(api::read_simulation(body, types));
}

// A type too long to be kept in place, and a value that is none.
std::string half_read_identifier() {
    return R"({"type":")" + std::string(500, 't') + R"(","value":5})";
}

}  // namespace

TEST_CASE("a body that is refused half read leaves nothing in memory") {
    struct Row {
        const char* what;
        std::function<std::string()> refuse;
        const char* reason;
    };
    const auto row = GENERATE(values<Row>({
        {"a question",
         [] {
             return refusal(
                 api::read_questions(R"({"identifiers":[)" + half_read_identifier() + "]}"));
         },
         "wrong_type"},
        {"a simulation",
         [] {
             return simulation_refusal(R"({"sample":{"identifiers":[)" + half_read_identifier() +
                                       "]}}");
         },
         "wrong_type"},
        {"a receipt",
         [] {
             return refusal(api::check_receipt(
                 R"({"evidence":{"record":")" + std::string(400, 'A') + R"(","entry":5}})", {}));
         },
         "malformed_receipt"},
        {"a request of OpenDSR",
         [] {
             return opendsr_refusal(
                 R"({"regulation":"gdpr","api_version":"2.0",
                 "subject_request_id":"a7551968-d5d6-44b2-9831-815ac9017798",
                 "subject_request_type":"erasure","submitted_time":"2018-10-02T15:00:00Z",
                 "subject_identities":[{"identity_type":")" +
                 std::string(500, 't') + R"(","identity_value":5}]})");
         },
         "wrong_type"},
    }));
    CAPTURE(row.what);
    REQUIRE(row.refuse() == row.reason);
    CHECK(tests::left_behind(1'000, row.refuse) < 50'000);
}
