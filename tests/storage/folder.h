#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace tests {

// An empty folder that goes with its test. In memory where there is such a place: these tests ask
// what is in the files, not what survives a power loss, and a hundred databases take a while to
// fsync.
class Folder {
public:
    // Takes over one that another gave up.
    explicit Folder(std::string path) : path_(std::move(path)) {}
    Folder() {
        const bool shm = ::access("/dev/shm", W_OK) == 0;
        const std::filesystem::path parent =
            shm ? "/dev/shm" : std::filesystem::temp_directory_path();
        std::string name = (parent / "cdp-test-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() {
        if (path_.empty()) return;
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::string& path() const { return path_; }
    // It stays, as who asks for it wants it.
    std::string release() { return std::exchange(path_, {}); }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
}

// Every name under `path` with its bytes and when it was written last: equal before and after means
// nothing was touched.
inline std::string contents(const std::string& path) {
    std::vector<std::filesystem::path> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
        names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    std::string all;
    for (const auto& name : names) {
        all.append(name.string()).push_back('\n');
        const auto written = std::filesystem::last_write_time(name).time_since_epoch();
        all.append(std::to_string(written.count())).push_back('\n');
        if (std::filesystem::is_regular_file(name)) all.append(read_file(name));
    }
    return all;
}

}  // namespace tests
