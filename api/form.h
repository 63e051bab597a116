#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace api {

// The value of a field of a posted form: application/x-www-form-urlencoded, or multipart/form-data
// (RFC 7578), which is how RFC 8058 §3.1 would have one-click requests. nullopt: there is no such
// field, or it is no form.
std::optional<std::string> form_value(std::string_view content_type, std::string_view body,
                                      std::string_view name);

}  // namespace api
