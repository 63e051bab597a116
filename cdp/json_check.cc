#include "cdp/json_check.h"

#include <charconv>
#include <cstdint>
#include <set>
#include <vector>

#include "cdp/json_scan.h"

namespace cdp::json {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// The length of the UTF-8 sequence at the front of `text`, 0 if there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xc2 && lead <= 0xdf) return tail(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if (!tail(1) || !tail(2)) return 0;
        if (lead == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
        if (lead == 0xed && byte(1) > 0x9f) return 0;  // surrogate
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if (!tail(1) || !tail(2) || !tail(3)) return 0;
        if (lead == 0xf0 && byte(1) < 0x90) return 0;
        if (lead == 0xf4 && byte(1) > 0x8f) return 0;
        return 4;
    }
    return 0;
}

// A number that fits the grammar, in its parts.
struct Number {
    std::string_view all;
    std::string_view whole;
    std::string_view fraction;
    std::string_view exponent;  // with its sign

    bool is_integer() const { return fraction.empty() && exponent.empty(); }
};

template <typename T>
bool fits(std::string_view text) {
    T value{};
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
}

// from_chars has one error for too large and too small; too small is zero, which is no fault.
bool overflows(const Number& number) {
    if (fits<double>(number.all)) return false;
    const auto first = number.whole.find_first_not_of('0');
    const auto first_of_fraction = number.fraction.find_first_not_of('0');
    std::int64_t magnitude = 0;  // decimal digits before the point, without the exponent
    if (first != std::string_view::npos)
        magnitude = static_cast<std::int64_t>(number.whole.size() - first);
    else if (first_of_fraction != std::string_view::npos)
        magnitude = -static_cast<std::int64_t>(first_of_fraction);
    else
        return false;
    const bool negative = number.exponent.starts_with('-');
    auto digits = number.exponent;
    if (!digits.empty() && !is_digit(digits.front())) digits.remove_prefix(1);
    std::int64_t exponent = 0;
    for (const char c : digits)
        if (exponent < (std::int64_t{1} << 40)) exponent = exponent * 10 + (c - '0');
    return magnitude + (negative ? -exponent : exponent) > 0;
}

bool in_range(const Number& number) {
    if (!number.is_integer()) return !overflows(number);
    return number.all.front() == '-' ? fits<std::int64_t>(number.all)
                                     : fits<std::uint64_t>(number.all);
}

// Reads by recursive descent; `depth_max` bounds the recursion.
class Checker {
public:
    Checker(std::string_view text, std::size_t depth_max, Strictness strictness)
        : text_(text), depth_max_(depth_max), strictness_(strictness) {}

    std::optional<Fault> run() {
        skip_space();
        if (value()) {
            skip_space();
            if (at_ != text_.size()) fail("invalid_json", "more text behind the end");
        }
        return std::move(fault_);
    }

private:
    struct Step {
        bool in_array = false;
        std::size_t index = 0;
        std::string_view key = {};
    };

    bool fail(const char* reason, const char* message) { return fail(reason, message, at_); }
    bool fail(const char* reason, const char* message, std::size_t offset) {
        fault_ = Fault{reason, message, {}, offset};
        for (const auto& step : path_) {
            if (step.in_array)
                fault_->pointer += "/" + std::to_string(step.index);
            else if (const auto key = unescape(step.key))
                fault_->pointer += pointer_token(*key);
        }
        return false;
    }

    char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_space() {
        while (next() == ' ' || next() == '\n' || next() == '\r' || next() == '\t') ++at_;
    }
    bool take(char c) {
        if (at_ == text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    bool value() {
        if (at_ == text_.size()) return fail("invalid_json", "the text ends where a value is due");
        switch (next()) {
            case '{': return nested(&Checker::object);
            case '[': return nested(&Checker::array);
            case '"': return string();
            case 't': return word("true");
            case 'f': return word("false");
            case 'n': return word("null");
            default: return number();
        }
    }

    bool nested(bool (Checker::*read)()) {
        if (depth_ == depth_max_) return fail("too_deep", "too many levels of brackets");
        ++depth_;
        ++at_;
        skip_space();
        const bool good = (this->*read)();
        --depth_;
        return good;
    }

    bool object() {
        if (take('}')) return true;
        std::set<std::string> keys;
        while (true) {
            const std::size_t begin = at_;
            if (next() != '"') return fail("invalid_json", "no key where one is due");
            if (!string()) return false;
            path_.push_back({.key = text_.substr(begin + 1, at_ - begin - 2)});
            if (strictness_ == Strictness::full && !keys.insert(*unescape(path_.back().key)).second)
                return fail("duplicate_key", "an object names a key twice", begin);
            skip_space();
            if (!take(':')) return fail("invalid_json", "no colon behind a key");
            skip_space();
            if (!value()) return false;
            path_.pop_back();
            skip_space();
            if (take('}')) return true;
            if (!take(',')) return fail("invalid_json", "no comma or brace behind a member");
            skip_space();
        }
    }

    bool array() {
        if (take(']')) return true;
        path_.push_back({.in_array = true});
        while (true) {
            if (!value()) return false;
            skip_space();
            if (take(']')) break;
            if (!take(',')) return fail("invalid_json", "no comma or bracket behind an element");
            skip_space();
            ++path_.back().index;
        }
        path_.pop_back();
        return true;
    }

    bool word(std::string_view expected) {
        if (text_.substr(at_, expected.size()) != expected)
            return fail("invalid_json", "a word that is not true, false or null");
        at_ += expected.size();
        return true;
    }

    std::string_view digits() {
        const std::size_t begin = at_;
        while (is_digit(next())) ++at_;
        return text_.substr(begin, at_ - begin);
    }

    bool number() {
        const std::size_t begin = at_;
        Number number;
        take('-');
        number.whole = digits();
        if (number.whole.empty()) return fail("invalid_json", "no value where one is due", begin);
        if (number.whole.size() > 1 && number.whole.front() == '0')
            return fail("invalid_json", "a number that begins with 0", begin);
        if (take('.')) {
            number.fraction = digits();
            if (number.fraction.empty())
                return fail("invalid_json", "a number without its fraction");
        }
        if (next() == 'e' || next() == 'E') {
            const std::size_t sign = ++at_;
            if (next() == '+' || next() == '-') ++at_;
            if (digits().empty()) return fail("invalid_json", "a number without its exponent");
            number.exponent = text_.substr(sign, at_ - sign);
        }
        number.all = text_.substr(begin, at_ - begin);
        if (strictness_ == Strictness::full && !in_range(number))
            return fail("number_out_of_range", "a number no double or 64-bit integer holds", begin);
        return true;
    }

    bool string() {
        const std::size_t begin = at_++;
        while (at_ < text_.size()) {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c == '"') {
                ++at_;
                return true;
            }
            if (c < 0x20) return fail("invalid_json", "a control character in a string");
            if (c == '\\') {
                if (!escape()) return false;
                continue;
            }
            const std::size_t length = utf8_length(text_.substr(at_));
            if (length == 0) return fail("invalid_utf8", "bytes that are not UTF-8");
            at_ += length;
        }
        return fail("invalid_json", "a string without its end", begin);
    }

    bool escape() {
        const std::size_t longest = 12;  // a surrogate pair
        for (const std::size_t length : {std::size_t{2}, std::size_t{6}, longest})
            if (unescape(text_.substr(at_, length)) && at_ + length <= text_.size()) {
                at_ += length;
                return true;
            }
        const auto digit = [&](std::size_t i) {
            return at_ + i < text_.size() &&
                   std::string_view("0123456789abcdefABCDEF").find(text_[at_ + i]) !=
                       std::string_view::npos;
        };
        if (text_.substr(at_, 2) == "\\u" && digit(2) && digit(3) && digit(4) && digit(5))
            return fail("invalid_utf8", "half of a surrogate pair");
        return fail("invalid_json", "an escape that means nothing");
    }

    std::string_view text_;
    std::size_t depth_max_;
    Strictness strictness_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::vector<Step> path_;
    std::optional<Fault> fault_;
};

}  // namespace

std::optional<Fault> find_fault(std::string_view text, std::size_t depth_max,
                                Strictness strictness) {
    return Checker(text, depth_max, strictness).run();
}

std::string pointer_token(std::string_view key) {
    std::string out = "/";
    for (const char c : key) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out.push_back(c);
    }
    return out;
}

}  // namespace cdp::json
