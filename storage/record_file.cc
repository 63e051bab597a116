#include "storage/record_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "cdp/base/assert.h"
#include "storage/file.h"

namespace storage {
namespace {

constexpr std::size_t kRecordBytesMax = 4096;

}  // namespace

std::string with_digest(std::string record) {
    static_assert(kRecordDigestBytes == crypto_generichash_BYTES_MIN);
    CDP_ASSERT(sodium_init() >= 0);
    std::array<unsigned char, kRecordDigestBytes> digest;
    crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char*>(record.data()), record.size(),
                       nullptr, 0);
    return record.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

cdp::Result<void> overwrite_record(int descriptor, const std::string& path,
                                   std::string_view record) {
    const auto n = ::pwrite(descriptor, record.data(), record.size(), 0);
    if (n != static_cast<ssize_t>(record.size()))
        return system_error("write " + path, n < 0 ? errno : EIO);
    return cdp::Result<void>::ok();
}

cdp::Result<void> sync_record(int descriptor, const std::string& path) {
    if (::fdatasync(descriptor) != 0) return system_error("fdatasync " + path, errno);
    return cdp::Result<void>::ok();
}

cdp::Result<void> write_record(const std::string& path, std::string_view record) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
    const Descriptor file(::open(path.c_str(), kFlags, 0600));
    if (!file.ok()) return system_error("open " + path, errno);
    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return system_error("stat " + path, errno);
    CDP_CHECK(overwrite_record(file.number(), path, record));
    CDP_CHECK(sync_record(file.number(), path));
    return status.st_size == 0 ? sync_folder(folder_of(path)) : cdp::Result<void>::ok();
}

cdp::Result<std::string> read_record(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok() && errno == ENOENT)
        return cdp::Error{.code = cdp::ErrorCode::not_found,
                          .reason = "no_record",
                          .message = "A file that should be there is not.",
                          .detail = path + " is missing"};
    if (!file.ok()) return system_error("open " + path, errno);
    return read_all(file.number(), kRecordBytesMax);
}

}  // namespace storage
