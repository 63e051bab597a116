#include "storage/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "cdp/base/crash_point.h"

namespace storage {
namespace {

cdp::Result<void> overwrite(int descriptor, const std::string& path) {
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) return system_error("stat " + path, errno);
    if (!S_ISREG(status.st_mode)) return system_error("overwrite " + path, EINVAL);
    CDP_CHECK(write_all(descriptor, std::string(static_cast<std::size_t>(status.st_size), '\0')));
    if (::fsync(descriptor) != 0) return system_error("fsync " + path, errno);
    return cdp::Result<void>::ok();
}

}  // namespace

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

cdp::Result<void> replace_file(const std::string& path, std::string_view bytes) {
    // Anything but a plain file would change places all the same.
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
        return system_error("replace " + path, EINVAL);
    const auto fresh = path + ".new";
    CDP_CHECK(discard_file(fresh));
    CDP_CHECK(write_new_file(fresh, bytes));
    cdp::crash_point("file_written");
    // An exchange leaves the old file a name until it is overwritten: a crash in between leaves it
    // under `fresh`, which is never the one in force.
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
        CDP_CHECK(sync_folder(folder_of(path)));
        cdp::crash_point("file_exchanged");
        return discard_file(fresh);
    }
    // Nothing is there yet, or the file system cannot exchange: then the old one is overwritten
    // through a descriptor once it has no name.
    const Descriptor old(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("rename " + fresh, errno);
    CDP_CHECK(sync_folder(folder_of(path)));
    return old.ok() ? overwrite(old.number(), path) : cdp::Result<void>::ok();
}

cdp::Result<void> discard_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.ok() && errno == ENOENT) return cdp::Result<void>::ok();
    if (!file.ok()) return system_error("open " + path, errno);
    CDP_CHECK(overwrite(file.number(), path));
    if (::unlink(path.c_str()) != 0) return system_error("unlink " + path, errno);
    return sync_folder(folder_of(path));
}

cdp::Result<std::string> read_secret_file(const std::string& path, const std::string& name,
                                          std::size_t bytes_max) {
    auto words = name;
    std::ranges::replace(words, '_', ' ');
    const auto exposed = [&](const char* why) {
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = name + "_exposed",
                          .message = "The " + words +
                                     " must be a plain file with mode 0600 that belongs to the "
                                     "user who runs cdp.",
                          .detail = path + why};
    };
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.ok() && errno == ELOOP) return exposed(" is a symbolic link");
    if (!file.ok() && (errno == ENOENT || errno == ENOTDIR))
        return cdp::Error{
            .code = cdp::ErrorCode::unavailable,
            .reason = name + "_missing",
            .message = "The " + words + " is not there. Without it nothing can be read.",
            .detail = path};
    if (!file.ok()) return system_error("open " + path, errno);

    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return system_error("stat " + path, errno);
    if (!S_ISREG(status.st_mode)) return exposed(" is not a file");
    if (status.st_uid != ::geteuid()) return exposed(" belongs to another user");
    if ((status.st_mode & 0077) != 0) return exposed(" is open to others");
    return read_all(file.number(), bytes_max);
}

}  // namespace storage
