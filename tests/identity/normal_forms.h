#pragma once

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>

#include "identity/identifier.h"

namespace tests {

// The normal form for a default type, or "!null_like", "!malformed", "!blocked".
inline std::string form(std::string_view type, std::string_view raw, std::string_view region = "") {
    static const auto types = identity::IdentifierTypes::defaults();
    const auto result = identity::normal_form(types.find(type), raw, region);
    if (const auto* value = std::get_if<std::string>(&result)) return *value;
    return "!" + std::string{to_string(std::get<identity::Refusal>(result))};
}

// A file under CDP_TEST_DATA; empty, with a line that says so, if the variable is not set.
inline std::string test_data(const std::string& path) {
    const char* folder = std::getenv("CDP_TEST_DATA");
    if (!folder) {
        std::cout << "skipped: CDP_TEST_DATA is not set, " << path << " not read\n";
        return {};
    }
    std::ifstream file{std::string{folder} + "/" + path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace tests
