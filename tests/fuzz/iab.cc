// The body of a deletion request of the IAB's protocol: refused with a pointer, or such that its
// unseparated fields can be told apart, and its ids are those that a refusal would carry.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/iab_request.h"
#include "cdp/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const api::IabConfig config;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    const auto read = api::read_iab_request(body);
    const auto ids = api::iab_ids_in(body);
    for (const auto& id : {ids.request_id, ids.transaction_id}) CDP_ASSERT(id.size() <= 128);
    if (!read) {
        CDP_ASSERT(read.error().code == cdp::ErrorCode::invalid_argument);
        return 0;
    }
    CDP_ASSERT(read->version == "1.0" && read->timestamp.size() == 10);
    CDP_ASSERT(read->request_id.find('.') == std::string::npos);
    CDP_ASSERT(ids.request_id == read->request_id && ids.transaction_id == read->transaction_id);
    CDP_ASSERT(api::iab_digest(*read, read->origin.domain).size() == 32);
    CDP_ASSERT(!api::verify_iab_requester(*read, config));
    const auto identity = api::iab_identity(*read, config);
    if (identity && identity->hash)
        CDP_ASSERT(cdp::read_hash(*identity->hash, identity->value) == identity->value);
    return 0;
}
