// A message of the Data Rights Protocol from a stranger: no signature holds that the key's owner
// did not make, and what was signed is a request within its bounds or is refused, each time alike.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "api/drp_message.h"
#include "api/drp_request.h"
#include "api/json.h"
#include "cdp/base/assert.h"
#include "consent/base64.h"

namespace {

const cdp::Timestamp kNow = cdp::timestamp_of(1'700'000'000'000);

void open(std::string_view body) {
    // RFC 8032, section 7.1, test 1; nobody here has its secret.
    static const auto key = *consent::from_base64("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    const auto opened = api::open_drp(body, key);
    CDP_ASSERT(!opened);
}

void take(std::string_view text) {
    auto claims = api::parse_json(text);
    if (!claims || !claims->is_object()) return;
    const auto issued = api::check_envelope(*claims, "HELPER", "SHOP", kNow);
    CDP_ASSERT(!issued || *issued <= kNow);
    const api::DrpMessage message{.bytes = std::string(text), .claims = *claims};
    const cdp::Agent agent{.id = "HELPER", .callback_hosts = {"helper.example"}};
    const auto taken = api::drp_request_of(message, agent, {.business_id = "SHOP"}, kNow);
    const auto again = api::drp_request_of(message, agent, {.business_id = "SHOP"}, kNow);
    CDP_ASSERT(bool(taken) == bool(again));
    if (!taken) return;
    CDP_ASSERT(taken->context == again->context);
    CDP_ASSERT(taken->protocol == cdp::PrivacyProtocol::drp);
    CDP_ASSERT(!taken->identifiers.empty() && taken->identifiers.size() <= 2);
    CDP_ASSERT(taken->external_id.size() == 64);
    CDP_ASSERT(!taken->callbacks || taken->note.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    open(input);
    take(input);
    return 0;
}
