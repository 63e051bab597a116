#include "identity/null_like.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "identity/hashed.h"
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
    "anonymous"sv, "do-not-reply"sv, "do_not_reply"sv, "donotreply"sv, "invalid"sv,   "nan"sv,
    "no-email"sv,  "no-reply"sv,     "no.reply"sv,     "no_email"sv,   "no_reply"sv,  "noemail"sv,
    "nomail"sv,    "none"sv,         "noreply"sv,      "null"sv,       "undefined"sv, "unknown"sv,
};
static_assert(std::ranges::is_sorted(kNobody));

constexpr std::array kPlaceholderAddresses{
    "1@1.com"sv,         "a@a.a"sv,
    "a@a.com"sv,         "a@b.c"sv,
    "a@b.com"sv,         "aa@aa.com"sv,
    "abc@abc.com"sv,     "asd@asd.com"sv,
    "asdf@asdf.com"sv,   "email@domain.com"sv,
    "email@email.com"sv, "foo@bar.com"sv,
    "na@na.com"sv,       "name@domain.com"sv,
    "no@no.com"sv,       "test@gmail.com"sv,
    "test@test.com"sv,   "test@test.test"sv,
    "user@user.com"sv,   "x@x.com"sv,
    "xx@xx.com"sv,       "xxx@xxx.com"sv,
};

// Of addresses that are known only by their hash, these are tried for each of the names above.
constexpr std::array kWhereNobodyLives{"example.com"sv, "gmail.com"sv, "googlemail.com"sv,
                                       "hotmail.com"sv, "mail.com"sv,  "outlook.com"sv,
                                       "yahoo.com"sv};

constexpr std::size_t kDigitsMax = 15;  // of a telephone number, by E.164
constexpr std::array kRows{"1234567890"sv, "0123456789"sv, "123456789"sv, "9876543210"sv};

constexpr auto kNilUuid = "00000000-0000-0000-0000-000000000000"sv;

constexpr std::array kSeriesIds{
    "9774d56d682e549c"sv,   // ANDROID_ID of many Android 2.2 devices
    "02:00:00:00:00:00"sv,  // what Android and iOS answer for a MAC address
    // From documentation and from keyboards; and see is_one_digit_uuid.
    "01234567-89ab-cdef-0123-456789abcdef"sv,
    "12345678-1234-1234-1234-123456789012"sv,
    "12345678-1234-1234-1234-123456789abc"sv,
    "12345678-1234-5678-1234-567812345678"sv,
};

bool is_word(std::string_view text) {
    if (text.size() > kLongestWord) return false;
    const auto first = kWords.begin() + kFirstOfLength[text.size()];
    const auto last = kWords.begin() + kFirstOfLength[text.size() + 1];
    const bool found = std::any_of(
        first, last, [&](std::string_view word) { return equal_ignoring_ascii_case(word, text); });
    return found && text != "Nan";
}

// The max UUID among them.
bool is_one_digit_uuid(std::string_view id) {
    return id.size() == kNilUuid.size() && std::ranges::equal(id, kNilUuid, [&](char a, char b) {
               return b == '-' ? a == '-' : a == id.front();
           });
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
        has_placeholder(text, "<%", "%>") || has_placeholder(text, "*|", "|*") ||
        has_placeholder(text, "%%", "%%"))
        return true;
    return has_placeholder(ascii_lower(text), "%7b%7b", "%7d%7d");
}

bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`';
}

// As a program or a form would have sent them.
std::vector<std::string> values_of_nothing() {
    std::vector<std::string> values{"", " ", "-", std::string{kNilUuid}};
    for (const auto mixed : {"NaN", "[object Object]", "distinctId", "userId", "anonymousId"})
        values.emplace_back(mixed);
    for (std::size_t zeros = 1; zeros <= kDigitsMax; ++zeros) values.emplace_back(zeros, '0');
    for (const auto word : kWords) {
        const std::string lower{word};
        std::string upper = lower;
        std::ranges::transform(upper, upper.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        });
        const auto title = upper.substr(0, 1) + lower.substr(1);
        values.insert(values.end(), {lower, upper, title});
    }
    for (std::size_t i = 0, count = values.size(); i < count; ++i)
        for (const char quote : {'"', '\''}) values.push_back(quote + values[i] + quote);
    return values;
}

std::vector<std::string> addresses_of_nobody() {
    std::vector<std::string> addresses{kPlaceholderAddresses.begin(), kPlaceholderAddresses.end()};
    for (const auto local : kNobody) {
        const std::string name{local};
        for (const auto domain : kWhereNobodyLives)
            addresses.push_back(name + '@' + std::string{domain});
        addresses.push_back(name + '@' + name + ".com");
    }
    return addresses;
}

// In no country, and in the one whose numbers are made up most often.
std::vector<std::string> numbers_of_nobody() {
    std::vector<std::string> nationals{kRows.begin(), kRows.end()};
    // A shorter run of one digit may be the hash of somebody's customer number.
    for (char digit = '0'; digit <= '9'; ++digit)
        for (std::size_t length = 8; length <= kDigitsMax; ++length)
            nationals.emplace_back(length, digit);
    std::vector<std::string> numbers;
    for (const auto& national : nationals)
        for (const auto prefix : {"", "+", "1", "+1"}) numbers.push_back(prefix + national);
    return numbers;
}

// Whoever hashes a form field without looking hashes these, by whatever rule.
std::vector<std::string> hashes_of_nothing() {
    std::vector<std::string> hashes;
    const auto add = [&](Form form, const std::vector<std::string>& values) {
        for (const auto& value : values)
            for (auto& hashed : hashed_forms(form, value)) hashes.push_back(std::move(hashed.hex));
    };
    add(Form::email, values_of_nothing());
    add(Form::email, addresses_of_nobody());
    add(Form::phone, numbers_of_nobody());
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
    return std::ranges::find(kSeriesIds, id) != kSeriesIds.end() || is_one_digit_uuid(id);
}

bool is_null_like_sha256(std::string_view hex) {
    static const auto hashes = hashes_of_nothing();
    return std::ranges::binary_search(hashes, hex);
}

}  // namespace identity
