#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "consent/channel.h"

// The form in which a value leaves. Pure.
namespace consent {

// The SHA-256 of a destination's own normal form of a value, in 64 lower-case hexadecimal digits.
// Made by who knows identifiers; `form` as in ChannelLabel.
struct NamedHash {
    std::string_view form = {};
    std::string_view hex = {};
};

// Views: they need to live only as long as the call that takes them.
struct Value {
    std::string_view json = {};
    std::string_view normal = {};            // its normal form; empty: it has none
    std::span<const NamedHash> hashes = {};  // in other forms than ours
    std::string_view keyed_token = {};       // what stands for it at this channel; empty: nothing
};

// JSON. nullopt when the value has no such form: only text is hashed, cut or stood for.
std::optional<std::string> transformed(const Value& value, const ChannelLabel& how);

// Of a value with both labels `a` decides: raw < truncate < sha256 < keyed_token, shorter is
// stricter.
bool is_stricter(const ChannelLabel& a, const ChannelLabel& b);

}  // namespace consent
