#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cdp::json {

// What is wrong with a JSON text, and where.
struct Fault {
    const char* reason =
        "";  // invalid_json, invalid_utf8, duplicate_key, number_out_of_range, too_deep
    const char* message = "";  // what was found, for humans; no part of the text
    std::string pointer;       // RFC 6901, from the root of the text
    std::size_t offset = 0;    // of the byte at fault
};

enum class Strictness {
    grammar,  // RFC 8259 and UTF-8
    full,     // and no object says a key twice, and every number is an int64, a uint64 or a finite
              // double
};

// The first fault of a text that should be one JSON value with at most `depth_max` levels of
// brackets. nullopt: it is one. An exact judge, but several times slower than simdjson: it reads
// what is small and finds the place in what simdjson refused.
std::optional<Fault> find_fault(std::string_view text, std::size_t depth_max,
                                Strictness strictness);

// Whether find_fault(text, kJsonDepthMax, full) finds none, at the speed of events.
bool is_good(std::string_view text);

// `/` and the reference token of a key.
std::string pointer_token(std::string_view key);

}  // namespace cdp::json
