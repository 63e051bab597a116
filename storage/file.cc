#include "storage/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace storage {

Descriptor::~Descriptor() {
    if (ok()) ::close(number_);
}

cdp::Error system_error(std::string_view doing, int error_number) {
    const bool full = error_number == ENOSPC || error_number == EDQUOT;
    return {.code = full ? cdp::ErrorCode::storage_full : cdp::ErrorCode::unavailable,
            .reason = full ? "disk_full" : "storage_failed",
            .message = full ? "The disk is full." : "The disk cannot be used.",
            .detail = std::string(doing) + ": " + std::generic_category().message(error_number)};
}

cdp::Result<void> write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(descriptor, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("write", errno);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return cdp::Result<void>::ok();
}

cdp::Result<std::string> read_all(int descriptor, std::size_t bytes_max) {
    std::string bytes;
    std::array<char, 4096> part;
    for (;;) {
        const auto n = ::read(descriptor, part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return system_error("read", errno);
        if (n == 0) return bytes;
        bytes.append(part.data(), static_cast<std::size_t>(n));
        if (bytes.size() > bytes_max) return system_error("read", EFBIG);
    }
}

cdp::Result<void> sync_folder(const std::string& path) {
    const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.ok()) return system_error("open " + path, errno);
    if (::fsync(folder.number()) != 0) return system_error("fsync " + path, errno);
    return cdp::Result<void>::ok();
}

std::string folder_of(const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal().parent_path();
}

cdp::Result<void> write_new_file(const std::string& path, std::string_view bytes) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const Descriptor file(::open(path.c_str(), kFlags, 0600));
    if (!file.ok() && errno == EEXIST)
        return cdp::Error{.code = cdp::ErrorCode::conflict,
                          .reason = "file_exists",
                          .message = "A file that was to be made is already there.",
                          .detail = path};
    if (!file.ok()) return system_error("create " + path, errno);

    const auto write = [&]() -> cdp::Result<void> {
        CDP_CHECK(write_all(file.number(), bytes));
        if (::fsync(file.number()) != 0) return system_error("fsync " + path, errno);
        return sync_folder(folder_of(path));
    };
    auto written = write();
    if (!written) ::unlink(path.c_str());
    return written;
}

}  // namespace storage
