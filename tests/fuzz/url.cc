// A URL from a stranger, for callbacks: refused, or what it is taken apart into is what it was.
// What is sent to a host holds no line break and no byte that is not printable.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/url.h"
#include "cdp/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto url = api::parse_url(text);
    if (!url) return 0;
    for (const auto& part : {url->host, url->port, url->target, url->authority()})
        for (const char c : part) CDP_ASSERT(c > ' ' && c < '\x7f');
    CDP_ASSERT(!url->host.empty() && url->target.starts_with('/'));
    CDP_ASSERT(url->host.find_first_of("/?#@") == std::string::npos);

    const auto whole = (url->tls ? "https://" : "http://") + url->authority() + url->target;
    const auto again = api::parse_url(whole);
    // A port may be written longer than it is.
    CDP_ASSERT(again || whole.size() > text.size());
    if (!again) return 0;
    CDP_ASSERT(again->tls == url->tls && again->host == url->host && again->port == url->port &&
               again->target == url->target);
    return 0;
}
