#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "identity/identifier.h"

namespace identity {

// E.164 without the extension, of a number given as valid UTF-8. `region` as in normal_form.
//
// The number must be possible, which is to say of a length its country has; not *valid*, which also
// asks for a prefix that was assigned when the library's tables were made. New prefixes appear
// every month and the tables may be years old: to refuse a number that rings would cost more than
// to keep one that does not.
std::variant<std::string, Refusal> phone_form(std::string_view text, std::string_view region);

}  // namespace identity
