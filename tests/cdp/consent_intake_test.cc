#include <future>

#include "tests/cdp/world.h"

namespace {

using cdp::ConsentRequest;
using tests::PlatformWorld;

cdp::Principal crm() {
    return PlatformWorld::source("crm", cdp::Trust::server);
}

ConsentRequest answer(const std::string& state, const std::string& id = "",
                      const std::string& type = "email",
                      const std::string& value = "a@shop.example") {
    ConsentRequest request;
    request.identifiers = {{type, value}};
    request.purpose = "email_marketing";
    request.state = state;
    request.idempotency_key = id;
    return request;
}

using Outcome = cdp::Result<std::vector<cdp::RecordedConsent>>;

Outcome post(PlatformWorld& world, std::vector<ConsentRequest> requests) {
    // Answers that lost a race come from the platform's own thread.
    std::promise<Outcome> outcome;
    world.platform().record_consents(crm(), std::move(requests),
                                     [&](Outcome result) { outcome.set_value(std::move(result)); });
    return outcome.get_future().get();
}

std::size_t recorded(PlatformWorld& world) {
    return world.exported(cdp::ExportKind::consents).size();
}

TEST_CASE("an id given to a second answer is refused, so that no withdrawal is lost unseen") {
    PlatformWorld world;
    const auto first = post(world, {answer("granted", "consent-123")});
    REQUIRE(first);
    world.clock().advance(std::chrono::hours(1));

    const auto second = post(world, {answer("withdrawn", "consent-123")});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == cdp::ErrorCode::conflict);
    CHECK(second.error().reason == "idempotency_key_reused");
    CHECK(recorded(world) == 1);

    // The same answer once more is the first one's, though the server would date it anew.
    const auto again = post(world, {answer("granted", "consent-123")});
    REQUIRE(again);
    CHECK(*again == *first);
    CHECK(recorded(world) == 1);
    CHECK(post(world, {answer("withdrawn", "consent-124")}));
    CHECK(recorded(world) == 2);
}

TEST_CASE("one request cannot give two answers one id") {
    PlatformWorld world;
    const auto outcome = post(world, {answer("granted", "x"), answer("withdrawn", "x")});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().reason == "idempotency_key_reused");
    CHECK(outcome.error().pointer == "/consents/1");
    CHECK(recorded(world) == 0);
    CHECK(post(world, {answer("granted", "x"), answer("granted", "x")}));
    CHECK(recorded(world) == 1);
}

TEST_CASE("a person's id is no identifier to give an answer for") {
    PlatformWorld world;
    const auto outcome =
        post(world, {answer("withdrawn", "", "person", "00000000000000000000000000000001")});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == cdp::ErrorCode::invalid_argument);
    CHECK(outcome.error().reason == "person_not_identifier");
    CHECK(outcome.error().pointer == "/consents/0/identifiers/0/type");
    CHECK(recorded(world) == 0);
}

TEST_CASE("a telephone number is read in the region of the source that brought it") {
    cdp::Config config;
    config.default_region = "FR";
    config.source_regions["crm"] = "DE";
    PlatformWorld world(config);
    REQUIRE(post(world, {answer("withdrawn", "", "phone", "030 12345678")}));
    const auto lines = world.exported(cdp::ExportKind::consents);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0]["identifiers"][0]["value"] == "+493012345678");
}

TEST_CASE("a request holds as many answers as it may, and not one more") {
    PlatformWorld world;
    std::vector<ConsentRequest> requests(cdp::kConsentsMax, answer("granted", "x"));
    CHECK(post(world, requests));
    requests.push_back(answer("granted", "x"));
    const auto outcome = post(world, requests);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().pointer == "/consents");
}

}  // namespace
