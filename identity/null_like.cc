#include "identity/null_like.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cdp/base/ids.h"
#include "identity/text.h"

namespace identity {
namespace {

using namespace std::string_view_literals;

// In lower case and ordered by length.
constexpr std::array kWords{
    "-1"sv,
    "id"sv,
    "na"sv,
    "\\n"sv,
    "n/a"sv,
    "nan"sv,
    "nil"sv,
    "#n/a"sv,
    "none"sv,
    "null"sv,
    "test"sv,
    "true"sv,
    "user"sv,
    "void"sv,
    "email"sv,
    "false"sv,
    "guest"sv,
    "(none)"sv,
    "(null)"sv,
    "<null>"sv,
    "abc123"sv,
    "userid"sv,
    "invalid"sv,
    "unknown"sv,
    "user_id"sv,
    "$user_id"sv,
    "(not set)"sv,
    "anonymous"sv,
    "undefined"sv,
    "distinctid"sv,
    "anonymousid"sv,
    "distinct_id"sv,
    "anonymous_id"sv,
    "[object object]"sv,
    "not_authenticated"sv,
};
constexpr std::size_t kLongestWord = kWords.back().size();
static_assert(std::ranges::is_sorted(kWords, {}, &std::string_view::size));

constexpr auto kFirstOfLength = [] {
    std::array<std::uint8_t, kLongestWord + 2> first{};
    for (std::size_t length = 0; length < first.size(); ++length)
        first[length] = static_cast<std::uint8_t>(
            std::ranges::lower_bound(kWords, length, {}, &std::string_view::size) - kWords.begin());
    return first;
}();

constexpr std::array kNobody{
    "anonymous"sv, "do-not-reply"sv, "do_not_reply"sv, "donotreply"sv, "invalid"sv, "nan"sv,
    "no-email"sv,  "no-reply"sv,     "no_email"sv,     "no_reply"sv,   "noemail"sv, "nomail"sv,
    "none"sv,      "noreply"sv,      "null"sv,         "undefined"sv,  "unknown"sv,
};
static_assert(std::ranges::is_sorted(kNobody));

constexpr std::array kPlaceholderAddresses{
    "1@1.com"sv,   "a@a.a"sv,         "a@a.com"sv,        "a@b.c"sv,           "a@b.com"sv,
    "aa@aa.com"sv, "abc@abc.com"sv,   "asdf@asdf.com"sv,  "email@email.com"sv, "na@na.com"sv,
    "no@no.com"sv, "test@test.com"sv, "test@test.test"sv, "user@user.com"sv,   "x@x.com"sv,
    "xx@xx.com"sv, "xxx@xxx.com"sv,
};

constexpr std::array kRows{"1234567890"sv, "0123456789"sv, "123456789"sv, "9876543210"sv};

constexpr std::array kSeriesIds{
    "9774d56d682e549c"sv,                      // ANDROID_ID of many Android 2.2 devices
    "02:00:00:00:00:00"sv,                     // what Android and iOS answer for a MAC address
    "ffffffff-ffff-ffff-ffff-ffffffffffff"sv,  // the max UUID
};

bool is_word(std::string_view text) {
    if (text.size() > kLongestWord) return false;
    const auto first = kWords.begin() + kFirstOfLength[text.size()];
    const auto last = kWords.begin() + kFirstOfLength[text.size() + 1];
    const bool found = std::any_of(
        first, last, [&](std::string_view word) { return equal_ignoring_ascii_case(word, text); });
    return found && text != "Nan";
}

bool is_zeros_and_dashes(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == '0' || c == '-'; });
}

// What a template engine would have replaced is still there: `open`, and behind it `close`.
bool has_placeholder(std::string_view text, std::string_view open, std::string_view close) {
    const auto at = text.find(open);
    return at != text.npos && text.find(close, at + open.size()) != text.npos;
}

bool is_template(std::string_view text) {
    bool marked = false;
    for (const char c : text) marked |= c == '{' || c == '%' || c == '<' || c == '*';
    if (!marked) return false;
    if (has_placeholder(text, "{{", "}}") || has_placeholder(text, "${", "}") ||
        has_placeholder(text, "#{", "}") || has_placeholder(text, "{%", "%}") ||
        has_placeholder(text, "<%", "%>") || has_placeholder(text, "*|", "|*"))
        return true;
    return has_placeholder(ascii_lower(text), "%7b%7b", "%7d%7d");
}

bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`';
}

using Sha256 = std::array<unsigned char, crypto_hash_sha256_BYTES>;

Sha256 sha256(std::string_view text) {
    Sha256 hash;
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    return hash;
}

// Whoever hashes a form field without looking hashes these.
std::vector<Sha256> hashes_of_nothing() {
    std::vector<Sha256> hashes{sha256(""), sha256(" "), sha256("0"), sha256("-")};
    for (const auto word : kWords) {
        const std::string lower{word};
        std::string upper = lower;
        std::ranges::transform(upper, upper.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        });
        const auto title = upper.substr(0, 1) + lower.substr(1);
        for (const auto& text : {lower, upper, title}) hashes.push_back(sha256(text));
    }
    for (const auto exact : {"NaN"sv, "[object Object]"sv}) hashes.push_back(sha256(exact));
    for (const auto address : kPlaceholderAddresses) hashes.push_back(sha256(address));

    std::vector<std::string> numbers{kRows.begin(), kRows.end()};
    for (char digit = '0'; digit <= '9'; ++digit)
        for (const std::size_t length : {8U, 9U, 10U, 11U}) numbers.emplace_back(length, digit);
    for (const auto& number : numbers)
        for (const auto prefix : {""sv, "+"sv, "1"sv, "+1"sv})
            hashes.push_back(sha256(std::string{prefix} + number));
    std::ranges::sort(hashes);
    return hashes;
}

}  // namespace

bool is_null_like(std::string_view text) {
    while (text.size() >= 2 && is_quote(text.front()) && text.front() == text.back())
        text = trim(text.substr(1, text.size() - 2));
    return is_zeros_and_dashes(text) || is_word(text) || is_template(text) ||
           (static_cast<unsigned char>(text.front()) >= 0x80 && is_blank(text));
}

bool is_null_like_email(std::string_view local, std::string_view domain) {
    if (std::ranges::binary_search(kNobody, local)) return true;
    if (domain == "invalid" || domain.ends_with(".invalid")) return true;
    return std::ranges::any_of(kPlaceholderAddresses, [&](std::string_view address) {
        return address.size() == local.size() + 1 + domain.size() && address.starts_with(local) &&
               address[local.size()] == '@' && address.ends_with(domain);
    });
}

bool is_null_like_digits(std::string_view digits) {
    return digits.find_first_not_of(digits.front()) == digits.npos ||
           std::ranges::find(kRows, digits) != kRows.end();
}

bool is_null_like_phone(int country, std::string_view national) {
    if (is_null_like_digits(national)) return true;
    return country == 1 && national.size() == 10 && national.substr(3, 5) == "55501";
}

bool is_null_like_device(std::string_view id) {
    return std::ranges::find(kSeriesIds, id) != kSeriesIds.end();
}

bool is_null_like_sha256(std::string_view hex) {
    static const auto hashes = hashes_of_nothing();
    const auto bytes = cdp::from_hex(hex);
    if (!bytes || bytes->size() != crypto_hash_sha256_BYTES) return false;
    Sha256 hash;
    std::ranges::copy(*bytes, hash.begin());
    return std::ranges::binary_search(hashes, hash);
}

}  // namespace identity
