#include "storage/key_text.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "cdp/base/ids.h"

namespace storage {
namespace {

constexpr std::string_view kCheck = "check = ";
using Check = std::array<unsigned char, 32>;
constexpr std::size_t kCheckLineBytes = kCheck.size() + 2 * sizeof(Check) + 1;

}  // namespace

std::string_view view_of(const SecretKey& key) {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

std::optional<SecretKey> parse_key(std::string_view hex) {
    auto bytes = cdp::from_hex(hex);
    SecretKey key;
    if (!bytes || bytes->size() != key.size()) return std::nullopt;
    std::ranges::copy(*bytes, reinterpret_cast<char*>(key.data()));
    sodium_memzero(bytes->data(), bytes->size());
    return key;
}

std::string check_line(std::string_view lines) {
    Check hash;
    crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char*>(lines.data()), lines.size(), nullptr,
                       0);
    return std::string(kCheck)
        .append(cdp::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()}))
        .append("\n");
}

std::optional<std::string_view> checked_lines(std::string_view text) {
    if (text.size() < kCheckLineBytes) return std::nullopt;
    const auto lines = text.substr(0, text.size() - kCheckLineBytes);
    if (text.substr(lines.size()) != check_line(lines)) return std::nullopt;
    return lines;
}

}  // namespace storage
