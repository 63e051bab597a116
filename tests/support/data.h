#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace tests {

// A file or folder under CDP_TEST_DATA; nullopt, with a line that says so, if the variable is not
// set.
inline std::optional<std::filesystem::path> data(const std::string& path) {
    const char* folder = std::getenv("CDP_TEST_DATA");
    if (folder) return std::filesystem::path(folder) / path;
    std::cout << "skipped: CDP_TEST_DATA is not set, " << path << " not read\n";
    return std::nullopt;
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::string> read_lines(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

}  // namespace tests
