#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "consent/bits.h"
#include "consent/tcf.h"
#include "tests/support/data.h"

namespace tests {

// One document a line.
inline std::vector<nlohmann::json> read_ndjson(const std::filesystem::path& path) {
    std::vector<nlohmann::json> documents;
    for (const auto& line : read_lines(path)) documents.push_back(nlohmann::json::parse(line));
    return documents;
}

inline std::vector<int> numbers_of(const consent::NumberSet& set) {
    std::vector<int> numbers;
    for (int n = 1; n <= set.size; ++n)
        if (set.has(static_cast<unsigned>(n))) numbers.push_back(n);
    return numbers;
}

inline std::vector<int> numbers_of(const consent::VendorSet& set, int last = 0xffff) {
    std::vector<int> numbers;
    for (int n = 1; n <= last && n <= set.max_id(); ++n)
        if (set.has(static_cast<std::uint16_t>(n))) numbers.push_back(n);
    return numbers;
}

inline std::vector<int> numbers_of(const std::optional<consent::VendorSet>& set) {
    return set ? numbers_of(*set) : std::vector<int>{};
}

// "101" as base64url, zeros added to a whole character.
inline std::string base64_of_bits(std::string bits) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bits.resize((bits.size() + 5) / 6 * 6, '0');
    std::string text;
    for (std::size_t i = 0; i < bits.size(); i += 6)
        text += kLetters[static_cast<std::size_t>(std::stoi(bits.substr(i, 6), nullptr, 2))];
    return text;
}

inline std::string bits_of(std::uint64_t value, unsigned n) {
    std::string bits;
    for (; n > 0; --n) bits += ((value >> (n - 1)) & 1) != 0 ? '1' : '0';
    return bits;
}

}  // namespace tests
