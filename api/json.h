#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "cdp/base/result.h"

// JSON documents of our own interface: consents, look-ups, keys. Events never come here.
namespace api {

inline constexpr std::size_t kDocumentDepthMax = 64;

// What a document is called where it is refused.
enum class JsonFrom : std::uint8_t { body, file };

// Reads one document. Bounded before it is built: depth, duplicate keys and a second document are
// refused. Errors: malformed_json, of a file file_not_json; duplicate_key, whose pointer names the
// place.
cdp::Result<nlohmann::json> parse_json(std::string_view text, JsonFrom from = JsonFrom::body);

// Appends `text`, quoted. Bytes that are not UTF-8 become U+FFFD, so the result is always JSON.
void append_json_string(std::string& out, std::string_view text);

// Refuses what is no object, and members that nobody asks for: one may have been meant to narrow
// what is asked or said. The error's pointer names the place; of a long name its beginning, for
// what was sent may be personal.
cdp::Result<void> check_members(const nlohmann::json& object, const std::string& pointer,
                                std::initializer_list<std::string_view> known);

// One member, of one kind. An absent one is empty; one of another kind is an error naming
// `pointer`.
cdp::Result<std::string> string_member(const nlohmann::json& object, const char* name,
                                       const std::string& pointer);

}  // namespace api
