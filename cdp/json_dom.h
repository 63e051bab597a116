#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <simdjson.h>

namespace cdp::json {

// Only for files of target `platform`: simdjson's types have another layout in code that is
// compiled without the definitions of its CMake target.

// A value of a document; absent also when it is null.
using Value = std::optional<simdjson::dom::element>;

// One JSON text, parsed. What parse() answers, and every string in it, lives until the next
// parse().
class Document {
public:
    // nullopt exactly when find_fault(text, depth_max, full) finds one; call that to learn what it
    // is. The text must have at most kJsonDepthMax levels of brackets. `readable` is the number of
    // bytes that may be read from its beginning; it is copied unless they are simdjson's padding
    // longer. Throws std::bad_alloc.
    std::optional<simdjson::dom::element> parse(std::string_view text, std::size_t readable);

private:
    simdjson::dom::parser parser_;
    simdjson::padded_string copy_;
};

std::optional<std::string_view> string_of(const Value& value);
std::optional<simdjson::dom::object> object_of(const Value& value);
std::optional<simdjson::dom::array> array_of(const Value& value);
// The value is `true`, not merely like it.
bool is_true(const Value& value);
// A member by name; a linear search.
Value member(const simdjson::dom::object& object, std::string_view name);

}  // namespace cdp::json
