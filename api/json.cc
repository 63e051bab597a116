#include "api/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "api/parameters.h"

namespace api {
namespace {

// `what` is wrong with it, behind what it is.
cdp::Error malformed(JsonFrom from, const std::string& what) {
    const bool file = from == JsonFrom::file;
    return invalid(file ? "file_not_json" : "malformed_json",
                   (file ? "The file " : "The body ") + what);
}

// At most 64 bytes of it, and a sign where it goes on.
std::string shortened(std::string_view name) {
    constexpr std::size_t kNameBytesMax = 64;
    if (name.size() <= kNameBytesMax) return std::string(name);
    auto end = kNameBytesMax;
    while ((static_cast<std::uint8_t>(name[end]) & 0xc0) == 0x80) --end;
    return std::string(name.substr(0, end)) + "…";
}

// Listens to the parser, which keeps its own stack on the heap, and says stop at the first thing we
// do not take. Builds nothing.
class Guard : public nlohmann::json_sax<nlohmann::json> {
public:
    explicit Guard(JsonFrom from) : from_(from) {}

    bool null() override { return value(); }
    bool boolean(bool) override { return value(); }
    bool number_integer(number_integer_t) override { return value(); }
    bool number_unsigned(number_unsigned_t) override { return value(); }
    bool number_float(number_float_t, const string_t&) override { return value(); }
    bool string(string_t&) override { return value(); }
    bool binary(binary_t&) override { return value(); }
    bool start_object(std::size_t) override { return enter(/*list=*/false); }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override { return enter(/*list=*/true); }
    bool end_array() override { return leave(); }
    bool key(string_t& name) override {
        auto& within = open_.back();
        within.name = name;
        if (within.names.insert(name).second) return true;
        error_ = invalid("duplicate_key", "An object names one of its members twice.", place());
        return false;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        error_ = malformed(
            from_, "is not JSON; reading stopped at byte " + std::to_string(position) + ".");
        return false;
    }

    const cdp::Error& error() const { return error_; }

private:
    // An object or a list whose end has not come.
    struct Open {
        bool list = false;
        std::size_t before = 0;  // of a list: items that have ended
        std::string name = {};   // of an object: the member that is read
        std::set<std::string> names = {};
    };

    bool enter(bool list) {
        open_.push_back({.list = list});
        if (open_.size() <= kDocumentDepthMax) return true;
        error_ = malformed(from_, "is nested more than 64 deep.");
        return false;
    }
    bool leave() {
        open_.pop_back();
        return value();
    }
    bool value() {
        if (!open_.empty()) ++open_.back().before;
        return true;
    }
    std::string place() const {
        nlohmann::json::json_pointer at;
        for (const auto& one : open_) {
            if (one.list)
                at /= one.before;
            else
                at /= shortened(one.name);
        }
        return at.to_string();
    }

    JsonFrom from_;
    std::vector<Open> open_;
    cdp::Error error_ = malformed(from_, "is not JSON.");
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

void append_control(std::string& out, char c) {
    constexpr char digits[] = "0123456789abcdef";
    out += "\\u00";
    out += digits[(c >> 4) & 0xf];
    out += digits[c & 0xf];
}

}  // namespace

cdp::Result<nlohmann::json> parse_json(std::string_view text, JsonFrom from) {
    // nlohmann skips a byte order mark; no other reader of ours does.
    if (text.starts_with("\xef\xbb\xbf")) return malformed(from, "starts with a byte order mark.");
    Guard guard(from);
    if (!nlohmann::json::sax_parse(text, &guard)) return guard.error();
    auto document = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (document.is_discarded()) return malformed(from, "is not JSON.");
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
