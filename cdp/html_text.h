#pragma once

#include <string>
#include <string_view>

namespace cdp {

// Text for between tags and for quoted attributes of HTML.
std::string html_text(std::string_view text);

}  // namespace cdp
