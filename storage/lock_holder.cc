#include "storage/lock_holder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <charconv>
#include <cstdio>

#include "storage/file.h"

namespace storage {
namespace {

constexpr std::size_t kLocksBytesMax = 4u << 20;

std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

}  // namespace

// "1: POSIX  ADVISORY  WRITE 4242 00:2b:1234 0 EOF"; who waits for it has an arrow before POSIX.
std::optional<int> lock_holder_in(std::string_view locks, std::string_view file) {
    while (!locks.empty()) {
        auto line = locks.substr(0, locks.find('\n'));
        locks.remove_prefix(std::min(line.size() + 1, locks.size()));
        next_word(line);
        if (next_word(line) != "POSIX") continue;
        next_word(line);
        next_word(line);
        const auto digits = next_word(line);
        if (next_word(line) != file) continue;
        int process = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), process);
        if (error == std::errc{} && end == digits.data() + digits.size() && process > 0)
            return process;
    }
    return std::nullopt;
}

std::optional<int> lock_holder(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    const Descriptor file(::open("/proc/locks", O_RDONLY | O_CLOEXEC));
    if (!file.ok()) return std::nullopt;
    const auto locks = read_all(file.number(), kLocksBytesMax);
    if (!locks) return std::nullopt;
    std::array<char, 64> name;
    const int size =
        std::snprintf(name.data(), name.size(), "%02x:%02x:%llu", major(status.st_dev),
                      minor(status.st_dev), static_cast<unsigned long long>(status.st_ino));
    return lock_holder_in(*locks, {name.data(), static_cast<std::size_t>(size)});
}

}  // namespace storage
