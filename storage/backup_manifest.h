#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/time.h"

namespace storage {

// What a backup is made of, and what it is a backup of.
struct BackupManifest {
    struct File {
        std::string name;  // in the database's folder
        std::uint64_t bytes = 0;
        std::string sealed;  // what it is called in the repository: a keyed hash of its bytes

        friend bool operator==(const File&, const File&) = default;
    };

    std::string id;  // 20261122T094033123Z and eight hexadecimal digits: sorts by time
    cdp::Timestamp made{};
    std::string fingerprint;      // of the keyring
    std::uint32_t format = 0;     // of the data folder
    std::uint64_t sequence = 0;   // the high-water mark
    std::uint64_t tree_size = 0;  // of the ledger's checkpoint
    std::string tree_root;        // 32 bytes; empty: it was never published
    std::uint64_t erasures = 0;   // records in the repository by then
    std::vector<File> files = {};

    std::uint64_t bytes() const;
    friend bool operator==(const BackupManifest&, const BackupManifest&) = default;
};

bool is_backup_id(std::string_view text);
std::string new_backup_id(cdp::Timestamp now);

std::string encode(const BackupManifest& manifest);
// nullopt unless `bytes` are what encode made, with names that are plain ones.
std::optional<BackupManifest> decode_manifest(std::string_view bytes);

}  // namespace storage
