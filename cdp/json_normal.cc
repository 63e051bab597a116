#include "cdp/json_normal.h"

#include <charconv>
#include <map>

#include "cdp/json_scan.h"
#include "consent/json_string.h"

namespace cdp::json {
namespace {

std::string normal_string(std::string_view quoted) {
    const auto text = unescape(quoted.substr(1, quoted.size() - 2));
    return text ? consent::json_string(*text) : std::string(quoted);
}

// Whole numbers as they are: a double may not hold them.
std::string normal_number(std::string_view text) {
    if (text.find_first_of(".eE") == text.npos) return text == "-0" ? "0" : std::string(text);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::string(text);
    if (value == 0) return "0";
    char digits[64];
    const auto written = std::to_chars(digits, digits + sizeof digits, value);
    return {digits, written.ptr};
}

std::string normal_list(std::string_view text) {
    std::string out = "[";
    Scan scan(text);
    if (scan.take('[') && !scan.take(']')) do {
            const auto element = scan.value();
            if (!element) break;
            if (out.size() > 1) out += ',';
            out += normal(*element);
        } while (scan.take(','));
    return out + "]";
}

}  // namespace

std::string normal(std::string_view text) {
    text = trim(text);
    if (text.empty()) return {};
    switch (text.front()) {
        case '"': return normal_string(text);
        case '[': return normal_list(text);
        case '{': break;
        default:
            return text.front() == '-' || (text.front() >= '0' && text.front() <= '9')
                       ? normal_number(text)
                       : std::string(text);
    }
    std::map<std::string, std::string> members;
    for (const auto& [key, value] : members_of(text))
        members.insert_or_assign(normal_string('"' + std::string(key) + '"'), normal(value));
    std::string out = "{";
    for (const auto& [key, value] : members)
        out.append(out.size() > 1 ? "," : "").append(key).append(":").append(value);
    return out + "}";
}

}  // namespace cdp::json
