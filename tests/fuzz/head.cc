// A request head from a stranger. What is refused whole must be refused; what is read must point
// into the bytes it was read from and never hold a bare line break.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/http_head.h"
#include "cdp/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes(reinterpret_cast<const char*>(data), size);
    (void)api::check_unfinished_head(bytes);
    bytes += "\r\n\r\n";
    api::Head head;
    if (api::read_head(bytes, head)) return 0;
    for (const auto part : {head.target, head.path, head.query, head.host, head.origin,
                            head.authorization, head.write_key, head.idempotency_key})
        CDP_ASSERT(part.find_first_of("\r\n") == std::string_view::npos);
    CDP_ASSERT(!(head.chunked && head.content_length));
    CDP_ASSERT(head.target.size() <= api::kTargetBytesMax);
    (void)api::percent_decode(head.path);
    (void)api::query_value(head.query, "writeKey");
    return 0;
}
