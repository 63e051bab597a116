#include "api/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "api/parameters.h"

namespace api {
namespace {

cdp::Error malformed(std::string message) {
    return invalid("malformed_json", std::move(message));
}

// Listens to the parser, which keeps its own stack on the heap, and says stop at the first thing we
// do not take. Builds nothing.
class Guard : public nlohmann::json_sax<nlohmann::json> {
public:
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_array() override { return leave(); }
    bool key(string_t& name) override {
        if (keys_.back().insert(name).second) return true;
        error_ = invalid("duplicate_key", "An object names one of its members twice.");
        return false;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        error_ = malformed("The body is not JSON; reading stopped at byte " +
                           std::to_string(position) + ".");
        return false;
    }

    const cdp::Error& error() const { return error_; }

private:
    bool enter() {
        keys_.emplace_back();
        if (keys_.size() <= kDocumentDepthMax) return true;
        error_ = malformed("The body is nested more than 64 deep.");
        return false;
    }
    bool leave() {
        keys_.pop_back();
        return true;
    }

    std::vector<std::set<std::string>> keys_;
    cdp::Error error_ = malformed("The body is not JSON.");
};

// The length of the UTF-8 sequence at the start of `text`, or 0 when it is not well formed.
std::size_t sequence_length(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = at(0);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((at(i) & 0xc0) != 0x80) return 0;
    if (first == 0xe0 && at(1) < 0xa0) return 0;
    if (first == 0xed && at(1) > 0x9f) return 0;
    if (first == 0xf0 && at(1) < 0x90) return 0;
    if (first == 0xf4 && at(1) > 0x8f) return 0;
    return length;
}

// At most 64 bytes of it, and a sign where it goes on.
std::string shortened(std::string_view name) {
    constexpr std::size_t kNameBytesMax = 64;
    if (name.size() <= kNameBytesMax) return std::string(name);
    auto end = kNameBytesMax;
    while ((static_cast<std::uint8_t>(name[end]) & 0xc0) == 0x80) --end;
    return std::string(name.substr(0, end)) + "…";
}

void append_control(std::string& out, char c) {
    constexpr char digits[] = "0123456789abcdef";
    out += "\\u00";
    out += digits[(c >> 4) & 0xf];
    out += digits[c & 0xf];
}

}  // namespace

cdp::Result<nlohmann::json> parse_json(std::string_view text) {
    // nlohmann skips a byte order mark; no other reader of ours does.
    if (text.starts_with("\xef\xbb\xbf"))
        return malformed("The body starts with a byte order mark.");
    Guard guard;
    if (!nlohmann::json::sax_parse(text, &guard)) return guard.error();
    auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (document.is_discarded()) return malformed("The body is not JSON.");
    return document;
}

void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const char c = text.front();
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<std::uint8_t>(c) < 0x20) {
            append_control(out, c);
        } else if (const auto length = sequence_length(text)) {
            out.append(text, 0, length);
            text.remove_prefix(length);
            continue;
        } else {
            out += "\xef\xbf\xbd";
        }
        text.remove_prefix(1);
    }
    out += '"';
}

cdp::Result<void> check_members(const nlohmann::json& object, const std::string& pointer,
                                std::initializer_list<std::string_view> known) {
    if (!object.is_object()) return invalid("wrong_type", "An object is expected here.", pointer);
    for (const auto& [name, value] : object.items())
        if (std::ranges::find(known, name) == known.end())
            return invalid("unknown_member", "There is no such member here.",
                           (nlohmann::json::json_pointer(pointer) / shortened(name)).to_string());
    return cdp::Result<void>::ok();
}

cdp::Result<std::string> string_member(const nlohmann::json& object, const char* name,
                                       const std::string& pointer) {
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) return std::string();
    if (found->is_string()) return found->get<std::string>();
    return invalid("wrong_type", "A string is expected here.", pointer + "/" + name);
}

}  // namespace api
