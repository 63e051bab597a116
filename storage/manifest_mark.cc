#include "storage/manifest_mark.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "storage/file.h"
#include "storage/rocks_error.h"

namespace storage {
namespace {

// RocksDB begins a new one long before.
constexpr std::size_t kManifestBytesMax = 1U << 30;
constexpr std::string_view kPrefix = "MANIFEST-";

std::string digest_of(std::string_view bytes) {
    std::array<unsigned char, crypto_generichash_BYTES_MIN> digest;
    crypto_generichash(digest.data(), digest.size(),
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                       0);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// The name of the file in force, from CURRENT.
cdp::Result<std::string> current_manifest(const std::string& folder) {
    const auto path = folder + "/CURRENT";
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok()) return system_error("open " + path, errno);
    auto name = CDP_TRY(read_all(file.number(), 4096));
    if (name.ends_with('\n')) name.pop_back();
    return name;
}

cdp::Result<std::uint64_t> number_of(const std::string& name) {
    std::uint64_t number = 0;
    const auto* end = name.data() + name.size();
    if (name.starts_with(kPrefix) &&
        std::from_chars(name.data() + kPrefix.size(), end, number).ptr == end && number > 0)
        return number;
    return store_damaged("CURRENT cannot be read");
}

}  // namespace

cdp::Result<ManifestMark> look_at_manifest(const std::string& folder, const ManifestMark& last) {
    const auto name = CDP_TRY(current_manifest(folder));
    const auto number = CDP_TRY(number_of(name));
    const auto path = folder + "/" + name;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status{};
    if (!file.ok() || ::fstat(file.number(), &status) != 0)
        return system_error("open " + path, errno);
    if (number == last.number && static_cast<std::uint64_t>(status.st_size) == last.bytes)
        return last;
    const auto bytes = CDP_TRY(read_all(file.number(), kManifestBytesMax));
    if (::fdatasync(file.number()) != 0) return system_error("fdatasync " + path, errno);
    if (number != last.number) CDP_CHECK(sync_folder(folder));
    return ManifestMark{.number = number, .bytes = bytes.size(), .digest = digest_of(bytes)};
}

cdp::Result<void> check_manifest(const std::string& folder, const ManifestMark& mark) {
    if (mark.number == 0) return cdp::Result<void>::ok();
    const auto name = CDP_TRY(current_manifest(folder));
    const auto number = CDP_TRY(number_of(name));
    if (number > mark.number) return cdp::Result<void>::ok();
    const auto path = folder + "/" + name;
    if (number < mark.number)
        return cdp::Error{
            .code = cdp::ErrorCode::corruption,
            .reason = "writes_missing",
            .message = "The database is an earlier copy: acknowledged writes are gone.",
            .detail = path + ", not number " + std::to_string(mark.number)};
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok()) return store_damaged(path + " is missing");
    const auto bytes = CDP_TRY(read_all(file.number(), kManifestBytesMax));
    if (bytes.size() < mark.bytes) return store_damaged(path + " was cut");
    if (digest_of(std::string_view(bytes).substr(0, mark.bytes)) != mark.digest)
        return store_damaged(path + " was changed");
    return cdp::Result<void>::ok();
}

}  // namespace storage
