// Chunked and gzipped bodies: never more bytes out than the limit, never more taken than were
// given, and the same body whatever pieces it arrives in.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/body.h"
#include "cdp/base/assert.h"

namespace {

constexpr std::size_t kBytesMax = 64 * 1024;

// The body when it is whole, fed `step` bytes at a time.
std::optional<std::string> unchunk(std::string_view wire, std::size_t step) {
    api::ChunkedBody body(kBytesMax);
    std::string waiting;
    while (!body.done()) {
        if (wire.empty()) return std::nullopt;
        waiting += wire.substr(0, step);
        wire.remove_prefix(std::min(step, wire.size()));
        const auto taken = body.feed(waiting);
        const auto* count = std::get_if<std::size_t>(&taken);
        if (!count) return std::nullopt;
        CDP_ASSERT(*count <= waiting.size());
        waiting.erase(0, *count);
    }
    return body.take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view wire(reinterpret_cast<const char*>(data), size);
    const auto inflated = api::gunzip(wire, kBytesMax);
    CDP_ASSERT(!inflated || inflated->size() <= kBytesMax);

    const auto whole = unchunk(wire, wire.size() + 1);
    CDP_ASSERT(!whole || whole->size() <= kBytesMax);
    CDP_ASSERT(unchunk(wire, 7) == whole);
    return 0;
}
