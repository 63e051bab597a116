#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Where the parts of a JSON text begin and end, believing nothing else about it.
//
// A scan sees strings, brackets, commas and colons; whether a part is itself good JSON is not its
// business. So one malformed event does not hide where the next one begins. Text that passed
// json_check or simdjson is cut exactly.
namespace cdp::json {

struct Member {
    std::string_view key;  // between the quotes, escapes and all
    std::string_view value;
};

// A position that moves through a text. Every call first skips white space. Once a call fails the
// text cannot be cut, and the scan is of no more use than its position().
class Scan {
public:
    explicit Scan(std::string_view text) : text_(text) {}

    // Moves past `c` if it is next.
    bool take(char c);
    // The next value: a string, a bracketed text whose brackets match, or a run of other
    // characters.
    std::optional<std::string_view> value();
    // The next string and its colon; the string without its quotes.
    std::optional<std::string_view> key();
    bool at_end();

    std::size_t position() const { return at_; }
    // Levels of brackets in the values read since the last reset.
    std::size_t depth() const { return depth_; }
    void reset_depth() { depth_ = 0; }

private:
    void skip_space();
    bool skip_string();
    bool skip_brackets();

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
    std::string open_;  // the brackets to close, innermost last
};

// The members of an object, in order; none if `text` is no object or cannot be cut.
std::vector<Member> members_of(std::string_view text);
// The value of the first member called `name`; empty if there is none.
std::string_view member_of(std::string_view object, std::string_view name);

// Whether a member's key, escapes resolved, is `name`.
bool key_is(std::string_view key, std::string_view name);
// The text of a string literal's inside; nullopt if an escape is bad or a surrogate is unpaired.
std::optional<std::string> unescape(std::string_view inside);
// The text without white space outside strings.
std::string minify(std::string_view text);
std::string_view trim(std::string_view text);

}  // namespace cdp::json
