#include "cdp/named_contacts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "cdp/json_scan.h"
#include "identity/hashed.h"
#include "identity/identifier.h"

namespace cdp {
namespace {

constexpr std::size_t kDigitsMin = 7;  // of a phone number
constexpr std::size_t kNumberBytesMax = 64;
constexpr std::size_t kHashMin = 32;  // MD5 in hexadecimal, the shortest

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_high(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

// The two that become an @ in normal form KC.
constexpr std::array<std::string_view, 2> kOtherAts{"\uff20", "\ufe6b"};

bool has_at(std::string_view text) {
    return text.find('@') != text.npos ||
           std::ranges::any_of(kOtherAts, [&](auto at) { return text.find(at) != text.npos; });
}

bool is_date(std::string_view text) {
    return text.size() == 10 && text[4] == '-' && text[7] == '-' &&
           std::ranges::count_if(text, is_digit) == 8;
}

// Digits of other scripts have two bytes or more. A colon stands in no number, but in every time of
// day; letters stand before it, or are an extension's.
bool may_be_number(std::string_view text) {
    if (text.size() < kDigitsMin || text.size() > kNumberBytesMax || is_date(text)) return false;
    const auto digits = static_cast<std::size_t>(std::ranges::count_if(text, is_digit));
    const auto high = static_cast<std::size_t>(std::ranges::count_if(text, is_high));
    if (digits + high / 2 < kDigitsMin) return false;
    const auto number = text.substr(std::min(text.find_first_of("+0123456789"), text.size()));
    return std::ranges::none_of(number, [](char c) {
        return c == ':' ||
               (is_letter(c) && std::string_view("extEXT").find(c) == std::string_view::npos);
    });
}

bool has_long_word(std::string_view text) {
    std::size_t run = 0;
    for (const char c : text) {
        const bool within =
            is_digit(c) || is_letter(c) || c == '+' || c == '/' || c == '-' || c == '_';
        run = within ? run + 1 : 0;
        if (run == kHashMin) return true;
    }
    return false;
}

// What never stands in an address that is not quoted, and what parts addresses in links and lists.
constexpr std::string_view kHard = " \t\r\n\"<>()[],;:\\";
constexpr std::string_view kSoft = "/?=&#{}|'!*~^$%`";

template <typename Visit>
void each_word(std::string_view text, std::string_view separators, const Visit& visit) {
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(separators), text.size());
        if (end > 0) visit(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

std::string_view without_dots(std::string_view word) {
    while (word.starts_with('.')) word.remove_prefix(1);
    while (word.ends_with('.')) word.remove_suffix(1);
    return word;
}

int digit_of(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// As links write it; what is no character of ASCII stays as it is.
std::string without_percents(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const int high = text[at] == '%' && at + 2 < text.size() ? digit_of(text[at + 1]) : -1;
        const int low = high >= 0 && high < 8 ? digit_of(text[at + 2]) : -1;
        out += low < 0 ? text[at] : static_cast<char>(high * 16 + low);
        if (low >= 0) at += 2;
    }
    return out;
}

// What is not seen: soft hyphens, joiners, marks of direction, of order and of the beginning.
std::string without_unseen(std::string_view text) {
    constexpr std::array<std::string_view, 8> kUnseen{"\u00ad", "\u200b", "\u200c", "\u200d",
                                                      "\u200e", "\u200f", "\u2060", "\ufeff"};
    std::string out;
    while (!text.empty()) {
        const auto found =
            std::ranges::find_if(kUnseen, [&](auto one) { return text.starts_with(one); });
        if (found == kUnseen.end()) out += text.front();
        text.remove_prefix(found == kUnseen.end() ? 1 : found->size());
    }
    return out;
}

// As tables write whole numbers that were read as fractions: 821012345002.0, 8.2e11.
std::optional<std::string> whole_number(std::string_view text) {
    if (text.size() > kNumberBytesMax || text.find_first_of(".eE") == text.npos) return {};
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    constexpr double kExactMax = 9e15;
    if (error != std::errc{} || end != text.data() + text.size()) return {};
    if (number < 0 || number > kExactMax || number != std::floor(number)) return {};
    return std::to_string(static_cast<std::int64_t>(number));
}

// The longest parts of ASCII: in many scripts nothing parts a word from what follows it.
template <typename Visit>
void each_ascii(std::string_view text, const Visit& visit) {
    while (!text.empty()) {
        const auto end =
            static_cast<std::size_t>(std::ranges::find_if(text, is_high) - text.begin());
        if (end > 0) visit(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

class Found {
public:
    Found(const Config& config, const storage::Vault& vault, const TextFrom& from)
        : config_(config),
          vault_(vault),
          region_(config.region_of(from.source)),
          numbers_(from.numbers) {}

    void look_at(std::string_view text) {
        if (text.find('%') != text.npos) {
            const auto plain = without_percents(text);
            if (plain.size() < text.size()) return look_at(plain);
        }
        if (std::ranges::any_of(text, is_high)) {
            const auto seen = without_unseen(text);
            if (seen.size() < text.size()) return look_at(seen);
        }
        if (const auto whole = whole_number(text)) return look_at(*whole);
        const bool words = has_at(text) || has_long_word(text);
        if (numbers_ && may_be_number(text)) {
            add(text, identity::Form::phone);
            // With its country's code, as some systems write numbers.
            if (std::ranges::all_of(text, is_digit))
                add('+' + std::string(text), identity::Form::phone);
        }
        if (!words) return;
        look_at_word(text);
        each_word(text, kHard, [&](std::string_view word) {
            if (word.size() < text.size()) look_at_word(word);
            look_at_parts(word);
            each_ascii(word, [&](std::string_view run) {
                if (run.size() == word.size()) return;
                look_at_word(run);
                look_at_parts(run);
            });
        });
    }

    void look_inside(std::string_view json) {
        if (json.size() >= 2 && json.front() == '"') {
            if (const auto text = json::unescape(json.substr(1, json.size() - 2))) look_at(*text);
            return;
        }
        if (json.empty() || is_digit(json.front())) return look_at(json);
        for (const auto& [key, value] : json::members_of(json)) {
            if (const auto name = json::unescape(key)) look_at(*name);
            look_inside(value);
        }
        json::Scan scan(json);
        if (!scan.take('[') || scan.take(']')) return;
        do {
            const auto element = scan.value();
            if (!element) return;
            look_inside(*element);
        } while (scan.take(','));
    }

    std::vector<Contact> take() && { return std::move(contacts_); }

private:
    void look_at_parts(std::string_view word) {
        each_word(word, kSoft, [&](std::string_view part) {
            if (part.size() < word.size()) look_at_word(part);
        });
    }

    void look_at_word(std::string_view text) {
        const auto word = without_dots(text);
        if (has_at(word)) add(word, identity::Form::email);
        if (word.size() < kHashMin) return;
        add(word, identity::Form::sha256);
        for (const auto kind : {HashKind::md5, HashKind::sha1})
            if (const auto hex = read_hash(kind, word))
                for (const auto& [type, of] : config_.types.all())
                    if (identity::hashed_type_of(type))
                        contacts_.push_back(hash_of_contact(vault_, type, kind, *hex));
    }

    void add(std::string_view text, identity::Form form) {
        for (const auto& [name, type] : config_.types.all()) {
            if (type.form != form || !is_contact(type.link_class)) continue;
            auto read = identity::normal_form(type, text, region_);
            if (auto* normal = std::get_if<std::string>(&read)) {
                const auto token = vault_.token(name, *normal);
                contacts_.push_back({name, std::move(*normal), token});
            }
        }
    }

    const Config& config_;
    const storage::Vault& vault_;
    const std::string& region_;
    const bool numbers_;
    std::vector<Contact> contacts_ = {};
};

}  // namespace

std::vector<Contact> contacts_in(const Config& config, const storage::Vault& vault,
                                 std::string_view text, const TextFrom& from) {
    Found found(config, vault, from);
    found.look_at(text);
    return std::move(found).take();
}

std::vector<Contact> contacts_in_json(const Config& config, const storage::Vault& vault,
                                      std::string_view json, const TextFrom& from) {
    Found found(config, vault, from);
    found.look_inside(json);
    return std::move(found).take();
}

bool is_of_numbers(const Config& config, std::string_view type) {
    return std::ranges::any_of(config.types.all(), [&](const auto& entry) {
        const auto& [name, known] = entry;
        return known.form == identity::Form::phone &&
               (type == name || (type.starts_with(name) && type[name.size()] == '_'));
    });
}

Contact hash_of_contact(const storage::Vault& vault, std::string_view type, HashKind kind,
                        std::string hex) {
    auto name = std::string(type) + '_' + std::string(to_string(kind));
    const auto token = vault.token(name, hex);
    return {std::move(name), std::move(hex), token};
}

std::vector<Contact> hashes_of(const Config& config, const storage::Vault& vault,
                               const Contact& contact) {
    std::vector<Contact> out;
    if (!identity::hashed_type_of(contact.type)) return out;
    const auto form = config.types.known(contact.type).form;
    for (const auto& hashed : identity::hashed_forms(form, contact.normal))
        out.push_back(hash_of_contact(vault, contact.type, HashKind::sha256, hashed.hex));
    for (const auto& text : identity::hashed_texts(form, contact.normal))
        for (const auto kind : {HashKind::md5, HashKind::sha1})
            out.push_back(hash_of_contact(vault, contact.type, kind, hash_of(kind, text)));
    return out;
}

}  // namespace cdp
