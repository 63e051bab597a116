#include "cdp/others_contacts.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "cdp/json_scan.h"
#include "consent/json_string.h"
#include "identity/identifier.h"

namespace cdp {
namespace {

constexpr std::size_t kKnownMax = 4'096;
constexpr std::size_t kDigitsMin = 7;  // of a telephone number
constexpr std::size_t kNumberMax = 32;
constexpr std::size_t kHashDigits = 64;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool may_be_number(std::string_view text) {
    if (text.size() > kNumberMax) return false;
    constexpr std::string_view kBetween = "+-.()/ ";
    const auto fits = [&](char c) { return is_digit(c) || kBetween.contains(c); };
    return std::ranges::all_of(text, fits) &&
           static_cast<std::size_t>(std::ranges::count_if(text, is_digit)) >= kDigitsMin;
}

bool may_be_hash(std::string_view text) {
    const auto hex = [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    return text.size() == kHashDigits && std::ranges::all_of(text, hex);
}

// As it is in the query of an address of a page.
std::string with_signs(std::string text) {
    for (auto at = text.find("%40"); at != text.npos; at = text.find("%40", at + 1))
        text.replace(at, 3, 1, '@');
    return text;
}

// What of a text an e-mail address may be.
std::vector<std::string> addresses_in(const std::string& text) {
    constexpr std::string_view kAround = " \t\r\n,;<>()[]{}\"'|=&?/:\\";
    std::vector<std::string> out;
    const auto all = with_signs(text);
    for (std::size_t at = 0; at < all.size();) {
        const auto end = std::min(all.find_first_of(kAround, at), all.size());
        auto word = all.substr(at, end - at);
        while (word.ends_with('.')) word.pop_back();
        if (word.contains('@')) out.push_back(std::move(word));
        at = end + 1;
    }
    return out;
}

std::string text_of(std::string_view literal) {
    const auto inside = literal.substr(1, literal.size() - 2);
    return json::unescape(inside).value_or(std::string(inside));
}

}  // namespace

Result<std::string> OthersContacts::without(std::string_view json, std::string_view source) {
    return value(json::trim(json), config_.region_of(source));
}

Result<std::string> OthersContacts::value(std::string_view json, const std::string& region) {
    if (json.starts_with('{')) return object(json, region);
    if (json.starts_with('[')) return list(json, region);
    const bool text = json.size() >= 2 && json.front() == '"';
    const bool number = !json.empty() && std::ranges::all_of(json, is_digit);
    if (!text && !number) return std::string(json);
    if (!CDP_TRY(names_others(text ? text_of(json) : std::string(json), region)))
        return std::string(json);
    ++withheld_;
    return consent::json_string(kMarker);
}

Result<std::string> OthersContacts::object(std::string_view json, const std::string& region) {
    std::string out = "{";
    for (const auto& [key, member] : json::members_of(json)) {
        if (out.size() > 1) out += ',';
        const auto name = json::unescape(key).value_or(std::string(key));
        const bool others = CDP_TRY(names_others(name, region));
        withheld_ += others ? 1 : 0;
        if (others)
            out += consent::json_string(kMarker);
        else
            out.append(1, '"').append(key).append(1, '"');
        out.append(1, ':').append(CDP_TRY(value(member, region)));
    }
    out += '}';
    return out;
}

Result<std::string> OthersContacts::list(std::string_view json, const std::string& region) {
    std::string out = "[";
    json::Scan scan(json);
    if (!scan.take('[') || scan.take(']')) return std::string("[]");
    do {
        const auto element = scan.value();
        if (!element) break;
        if (out.size() > 1) out += ',';
        out += CDP_TRY(value(*element, region));
    } while (scan.take(','));
    out += ']';
    return out;
}

Result<bool> OthersContacts::names_others(const std::string& text, const std::string& region) {
    for (const auto& address : addresses_in(text))
        if (CDP_TRY(is_others(address, region))) return true;
    const auto whole = std::string(json::trim(text));
    if (!may_be_number(whole) && !may_be_hash(whole)) return false;
    return is_others(whole, region);
}

Result<bool> OthersContacts::is_others(const std::string& candidate, const std::string& region) {
    auto name = region;
    name.append(1, ' ').append(candidate);
    if (const auto met = known_.find(name); met != known_.end()) return met->second;
    if (known_.size() >= kKnownMax) known_.clear();
    const bool others = CDP_TRY(look_up(candidate, region));
    known_.emplace(name, others);
    return others;
}

Result<bool> OthersContacts::look_up(const std::string& candidate,
                                     const std::string& region) const {
    for (const auto& [name, type] : config_.types.all()) {
        if (!identity::is_contact(type.link_class)) continue;
        const auto form = identity::normal_form(type, candidate, region);
        const auto* normal = std::get_if<std::string>(&form);
        if (normal && CDP_TRY(is_others_(vault_.token(name, *normal)))) return true;
    }
    return false;
}

}  // namespace cdp
