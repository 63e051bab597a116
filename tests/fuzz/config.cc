// A configuration from anybody: read whole, or refused with the place and a sentence.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/config.h"
#include "cdp/base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto config = api::parse_config({reinterpret_cast<const char*>(data), size}, "cdp.toml");
    if (config) return 0;
    CDP_ASSERT(!config.error().reason.empty());
    CDP_ASSERT(config.error().message.starts_with("cdp.toml"));
    return 0;
}
