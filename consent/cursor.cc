#include "consent/cursor.h"

#include "cdp/base/ids.h"

namespace consent {
namespace {

constexpr std::string_view kKeyName = "cursor";

}  // namespace

Cursor Cursor::seal(const storage::Vault& vault, std::string_view holder, std::string_view place) {
    return Cursor(cdp::to_hex(storage::Vault::seal(vault.own_key(kKeyName), holder, place)));
}

std::optional<std::string> Cursor::open(const storage::Vault& vault, std::string_view holder,
                                        std::string_view text) {
    const auto sealed = cdp::from_hex(text);
    if (!sealed) return std::nullopt;
    auto place = storage::Vault::open(vault.own_key(kKeyName), holder, *sealed);
    return place ? std::optional(std::move(*place)) : std::nullopt;
}

}  // namespace consent
