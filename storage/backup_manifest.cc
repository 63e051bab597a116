#include "storage/backup_manifest.h"

#include <algorithm>
#include <numeric>

#include "cdp/base/bytes.h"
#include "cdp/base/ids.h"
#include "storage/random.h"

namespace storage {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::string_view kShape = "00000000T000000000Z-hhhhhhhh";
constexpr std::size_t kSealedName = 64;

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

// A file of a folder and nothing above or below it.
bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() < 256 && name.front() != '.' &&
           name.find('/') == name.npos && name.find('\0') == name.npos;
}

bool is_sealed_name(std::string_view name) {
    return name.size() == kSealedName && std::ranges::all_of(name, is_hex);
}

}  // namespace

std::uint64_t BackupManifest::bytes() const {
    return std::accumulate(files.begin(), files.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const File& file) { return sum + file.bytes; });
}

bool is_backup_id(std::string_view text) {
    return std::ranges::equal(text, kShape, [](char c, char shape) {
        if (shape == '0') return c >= '0' && c <= '9';
        return shape == 'h' ? is_hex(c) : c == shape;
    });
}

std::string new_backup_id(cdp::Timestamp now) {
    auto id = cdp::format_time(now);  // 2026-11-22T09:40:33.123Z
    std::erase_if(id, [](char c) { return c == '-' || c == ':' || c == '.'; });
    return id + "-" + cdp::to_hex(random_bytes(4));
}

std::string encode(const BackupManifest& manifest) {
    cdp::ByteWriter out;
    out.u8(kFormat).bytes(manifest.id).i64(cdp::milliseconds_of(manifest.made));
    out.bytes(manifest.fingerprint).u32(manifest.format).u64(manifest.sequence);
    out.u64(manifest.tree_size).bytes(manifest.tree_root).u64(manifest.erasures);
    out.u32(static_cast<std::uint32_t>(manifest.files.size()));
    for (const auto& file : manifest.files) out.bytes(file.name).u64(file.bytes).bytes(file.sealed);
    return out.take();
}

std::optional<BackupManifest> decode_manifest(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    BackupManifest manifest;
    const auto format = in.u8();
    manifest.id = in.bytes();
    manifest.made = cdp::timestamp_of(in.i64());
    manifest.fingerprint = in.bytes();
    manifest.format = in.u32();
    manifest.sequence = in.u64();
    manifest.tree_size = in.u64();
    manifest.tree_root = in.bytes();
    manifest.erasures = in.u64();
    for (auto left = in.u32(); left > 0 && in.ok(); --left) {
        BackupManifest::File file;
        file.name = in.bytes();
        file.bytes = in.u64();
        file.sealed = in.bytes();
        if (!is_plain_name(file.name) || !is_sealed_name(file.sealed)) return std::nullopt;
        manifest.files.push_back(std::move(file));
    }
    if (!in.done() || format != kFormat) return std::nullopt;
    return manifest;
}

}  // namespace storage
