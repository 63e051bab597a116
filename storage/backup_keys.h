#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "storage/backup_repo.h"
#include "storage/key_places.h"
#include "storage/sealed_file.h"
#include "storage/snapshot.h"
#include "storage/store.h"

// The wrapped keys of a backup, in a file of their own that every change of epochs rewrites.
namespace storage {

// The epochs that its rows may be under.
struct KeysRange {
    std::uint32_t lowest = 0;
    std::uint32_t highest = 0;

    friend bool operator==(const KeysRange&, const KeysRange&) = default;
};

// The rows of Space::subject_key as `snapshot` has them. Its bytes are on disk, its name takes
// BackupRepo::sync.
cdp::Result<KeysRange> write_keys(const BackupRepo& repo, const std::string& id,
                                  const Snapshot& snapshot);

// Rows in the order of their keys, each of one subject. Another row is damage.
class KeysReader {
public:
    static cdp::Result<std::unique_ptr<KeysReader>> open(const BackupRepo& repo,
                                                         const std::string& id);

    const KeysRange& range() const { return range_; }
    struct Row {
        std::string key;
        std::string value;
    };
    // nullopt: that was all, and the file is whole.
    cdp::Result<std::optional<Row>> next();

private:
    KeysReader(std::string path, std::unique_ptr<SealedReader> reader)
        : path_(std::move(path)), reader_(std::move(reader)) {}
    cdp::Result<std::string_view> take(std::size_t bytes);

    const std::string path_;
    const std::unique_ptr<SealedReader> reader_;
    KeysRange range_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::uint64_t rows_ = 0;
    std::string last_;  // key
    bool done_ = false;
};

// Reads all of it; how many rows it has.
cdp::Result<std::uint64_t> count_keys(const BackupRepo& repo, const std::string& id);

// Replaces each row; durable. Afterwards all are under `current`.
cdp::Result<void> rewrap_keys(const BackupRepo& repo, const std::string& id, std::uint32_t current,
                              const WrappedKeys::Rewrap& rewrap);

// Makes the rows of `store` be those of the backup, whatever they were, and its epochs fit them.
// For who has the store alone.
cdp::Result<void> put_keys(Store& store, const BackupRepo& repo, const std::string& id);

}  // namespace storage
