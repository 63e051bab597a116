#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "cdp/base/bytes.h"

namespace consent {

// The names of an enum, as on the wire.
template <typename Enum, std::size_t n>
class Names {
public:
    using Pair = std::pair<Enum, std::string_view>;

    template <typename... Pairs>
    explicit constexpr Names(Pairs... pairs) : pairs_{pairs...} {}

    // Empty for a value without a name.
    constexpr std::string_view name(Enum value) const {
        for (const auto& [v, name] : pairs_)
            if (v == value) return name;
        return {};
    }
    constexpr std::optional<Enum> value(std::string_view name) const {
        for (const auto& [v, known] : pairs_)
            if (known == name) return v;
        return std::nullopt;
    }

private:
    std::array<Pair, n> pairs_;
};

template <typename Enum, typename... Rest>
Names(std::pair<Enum, std::string_view>, Rest...) -> Names<Enum, 1 + sizeof...(Rest)>;

// One byte that is a value of an enum whose values are 1 to `last`.
template <typename Enum>
std::optional<Enum> read_enum(cdp::ByteReader& in, Enum last) {
    const auto n = in.u8();
    if (n < 1 || n > static_cast<std::uint8_t>(last)) return std::nullopt;
    return static_cast<Enum>(n);
}

}  // namespace consent
