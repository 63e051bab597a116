// A normal form is a fixed point: normalising it again changes nothing and is not refused.
// Otherwise one human would be looked up under a name that nothing is filed under.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cdp/base/assert.h"
#include "identity/identifier.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static const auto types = identity::IdentifierTypes::defaults();
    constexpr std::array names = {"user_id",   "email",        "phone",
                                  "device_id", "anonymous_id", "other"};
    constexpr std::array regions = {"", "DE", "US", "KR"};
    const auto type = types.find(names[data[0] % names.size()]);
    const auto* region = regions[data[0] / names.size() % regions.size()];
    const std::string_view raw(reinterpret_cast<const char*>(data) + 1, size - 1);

    const auto once = identity::normal_form(type, raw, region);
    const auto* value = std::get_if<std::string>(&once);
    if (!value) return 0;
    CDP_ASSERT(!value->empty());
    const auto twice = identity::normal_form(type, *value, "");
    const auto* again = std::get_if<std::string>(&twice);
    CDP_ASSERT(again != nullptr);
    CDP_ASSERT(*again == *value);
    return 0;
}
