#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/data.h"

namespace tests {

// What the specification prints, by its headings; nothing without CDP_TEST_DATA.
inline std::map<std::string, nlohmann::json> opendsr_examples() {
    std::map<std::string, nlohmann::json> out;
    const auto file = data("dsr/opendsr_examples.ndjson");
    if (!file) return out;
    for (const auto& line : read_lines(*file)) {
        const auto example = nlohmann::json::parse(line);
        out[example["heading"]] = example["json"];
    }
    return out;
}

}  // namespace tests
