#pragma once

#include <string>
#include <string_view>

namespace cdp {

// Text for between tags and for quoted attributes of HTML. Characters that cannot be seen, or that
// turn the direction of what follows, are named: [U+202E].
std::string html_text(std::string_view text);

}  // namespace cdp
