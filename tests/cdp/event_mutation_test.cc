#include "cdp/base/random.h"
#include "tests/cdp/parsing.h"
#include "tests/support/seeds.h"

using namespace cdp;
using namespace tests;

namespace {

// One body of each shape that SDKs send.
const std::string kBodies[] = {
    R"({"batch":[{"timestamp":"2026-11-21T18:24:49.023Z","integrations":{},"type":"identify","userId":"u0","anonymousId":"a0","traits":{"email":"kim@shop.de","plan":"free","age":31.50},"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}},"messageId":"node-next-1795285489023-8e98","_metadata":{"nodeVersion":"v20.20.2"}},{"type":"alias","userId":"u0","previousId":"a0"},{"type":"group","groupId":"g0","traits":{"name":"x"},"userId":"u0"}],"writeKey":"k1","sentAt":"2026-11-21T18:24:49.034Z"})",
    R"({"type":"identify","userId":"u0","anonymousId":"5f0c","channel":"web","context":{"traits":{"phone":"+33612345678","email_verified":true},"sessionId":1795284353199,"consentManagement":{"allowedConsentIds":["x"],"deniedConsentIds":["y"],"provider":"custom"},"os":{"name":""}},"originalTimestamp":"2026-11-21T18:20:00Z","sentAt":"2026-11-21T19:20:00Z","messageId":"m","integrations":{"All":true}})",
    R"({"batch":[{"type":"screen","anonymousId":"a","context":{"device":{"id":"B5372DB0-C21E-11E4-8DFC-AA07A5B093DB","advertisingId":"7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB","adTrackingEnabled":true,"type":"ios"},"externalIds":[{"id":"c","type":"crm_id","collection":"users","encoding":"none"}]}},{"type":"track","event":"\u00e9 \ud83d\ude00","userId":7,"properties":{"x":[1,{"y":null}]}}],"context":{"consent":{"categoryPreferences":{"Ads":false}}},"integrations":{"A":true}})",
};

std::string mutated(Random& random) {
    std::string body = kBodies[random.below(std::size(kBodies))];
    const std::string_view alphabet = "\"\\{}[],:0129eE+-.tfn \n\xc3\xf0\x80ud8";
    for (auto n = random.below(4); n > 0; --n) {
        const auto at = random.below(body.size());
        switch (random.below(5)) {
            case 0: body[at] = static_cast<char>(random.below(256)); break;
            case 1: body[at] = alphabet[random.below(alphabet.size())]; break;
            case 2: body.erase(at, 1 + random.below(20)); break;
            case 3:
                body.insert(at, body.substr(random.below(body.size()), random.below(60)));
                break;
            default: body.resize(at + 1);
        }
        if (body.empty()) body = "{";
    }
    return body;
}

void check_event(const Event& event) {
    REQUIRE_FALSE(event.identifiers.empty());
    REQUIRE(event.identifiers.size() <= kIdentifiersMax);
    REQUIRE_FALSE(event.message_id.empty());
    REQUIRE(event.time <= event.received);
    REQUIRE(event.time >= Timestamp{});
    REQUIRE(event.raw.front() == '{');
    REQUIRE(event.raw.back() == '}');
    for (const auto& id : event.identifiers)
        REQUIRE(id.link_class != identity::LinkClass::verified_contact);
}

}  // namespace

TEST_CASE("mutated bodies are read or refused, never worse") {
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    Random random(seed);
    for (int i = 0; i < 100; ++i) {
        const auto body = mutated(random);
        CAPTURE(body);
        const auto batch = parse_body(body, std::nullopt, context());
        (void)write_key_of(body);
        if (!batch) {
            REQUIRE(batch.error().code == ErrorCode::invalid_argument);
            continue;
        }
        REQUIRE(batch->refused_ids.size() == batch->events.size());
        for (std::size_t n = 0; n < batch->events.size(); ++n) {
            const auto& event = batch->events[n];
            if (event) {
                check_event(*event);
                // An accepted event, sent alone, is accepted as the same.
                const auto again = parse_body(event->raw, event->type, context());
                REQUIRE(again);
                REQUIRE(again->events.size() == 1);
                REQUIRE(again->events[0]);
                REQUIRE(identifiers_of(*again->events[0]) == identifiers_of(*event));
            } else if (!batch->single) {
                REQUIRE(event.error().pointer.starts_with("/batch/" + std::to_string(n)));
            }
        }
    }
}

TEST_CASE("the mutations reach both verdicts") {
    Random random(1);
    int read = 0;
    int refused = 0;
    for (int i = 0; i < 200; ++i) {
        const auto batch = parse_body(mutated(random), std::nullopt, context());
        ++(batch && batch->events.size() > 0 && batch->events[0] ? read : refused);
    }
    CHECK(read > 20);
    CHECK(refused > 20);
}
