#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cdp {

// A 128-bit name. The tag keeps one kind from being passed where another is meant.
template <typename Tag>
struct Id {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Id&, const Id&) = default;

    std::string_view view() const {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    // `view` must hold 16 bytes.
    static Id from(std::string_view view) {
        Id id;
        std::memcpy(id.bytes.data(), view.data(), id.bytes.size());
        return id;
    }
};

// A keyed hash of one identifier (type and normal form): what stands in database keys instead of
// it.
using Token = Id<struct TokenTag>;
// A keyed hash under a key that is never rotated: breaks ties, and names persons.
using Rank = Id<struct RankTag>;
// The rank of the best member of a person.
using PersonId = Id<struct PersonTag>;
// A keyed hash of (source, messageId): the same call sent twice has the same one.
using EventId = Id<struct EventTag>;
using RecordId = Id<struct RecordTag>;

// 32 lower-case hexadecimal digits.
std::string to_hex(std::string_view bytes);
// nullopt unless `hex` is an even number of hexadecimal digits.
std::optional<std::string> from_hex(std::string_view hex);

}  // namespace cdp

template <typename Tag>
struct std::hash<cdp::Id<Tag>> {
    // The bytes are already a hash.
    std::size_t operator()(const cdp::Id<Tag>& id) const noexcept {
        std::size_t h;
        std::memcpy(&h, id.bytes.data(), sizeof h);
        return h;
    }
};
