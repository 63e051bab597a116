// The body of a request of OpenDSR: refused with a pointer, or within its bounds.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/opendsr_request.h"
#include "api/url.h"
#include "cdp/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto types = api::default_identity_types();
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    const auto now = *cdp::parse_time("2018-10-02T15:00:01Z");
    const auto read = api::read_opendsr_request(
        body, {.domain = "example-processor.com", .identity_types = types, .now = now});
    if (!read) {
        CDP_ASSERT(read.error().code == cdp::ErrorCode::invalid_argument);
        return 0;
    }
    CDP_ASSERT(api::is_subject_request_id(read->id));
    CDP_ASSERT(!read->identities.empty() && read->identities.size() <= api::kIdentitiesMax);
    for (const auto& one : read->identities)
        CDP_ASSERT(!one.hash || cdp::read_hash(*one.hash, one.value) == one.value);
    CDP_ASSERT(read->submitted <= now + api::kSubmittedAheadMax &&
               read->submitted >= now - api::kSubmittedAgoMax);
    std::size_t bytes = 0;
    for (const auto& url : read->callback_urls) {
        CDP_ASSERT(api::parse_url(url));
        bytes += url.size();
    }
    CDP_ASSERT(bytes <= api::kCallbackBytesMax);
    return 0;
}
