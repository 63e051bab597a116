#pragma once

#include <optional>
#include <span>
#include <string_view>

// What a report's parts, members and codes are called in plain words; private to
// cdp/report_page.cc.
namespace cdp {

struct PartWords {
    std::string_view part;
    std::string_view title;
    std::string_view says;  // before the entries
    std::string_view none;  // when there are none
    // The members that are columns of a table; none: each entry is a list of its members.
    std::span<const std::string_view> columns = {};
};

// In the order in which they are told.
std::span<const PartWords> report_parts();
const PartWords* words_of_part(std::string_view part);

// Of a member without words of its own nothing.
std::optional<std::string_view> words_of_member(std::string_view member);
// Of a code, where a member holds one.
std::optional<std::string_view> words_of_code(std::string_view code);
// Whether what a member holds is a code, a purpose, or data as they were sent.
bool holds_code(std::string_view member);
bool holds_purpose(std::string_view member);
bool holds_data(std::string_view member);

}  // namespace cdp
