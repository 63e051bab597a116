#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "storage/database_files.h"
#include "storage/rocks_layout.h"
#include "storage/rocks_store.h"
#include "storage/scrubber.h"

namespace storage {

// An open database and its column families, in the order of Family.
class Database {
public:
    // glance: read_only, and cheap to open; each read of what is in the log only is dear.
    enum class Mode { create, glance, read_only, read_write };

    static cdp::Result<std::unique_ptr<Database>> open(const RocksOptions& options, Mode mode);

    Database() = default;
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    rocksdb::DB& db() { return *db_; }
    std::span<rocksdb::ColumnFamilyHandle* const> families() const { return families_; }
    rocksdb::ColumnFamilyHandle* family(std::string_view key) const {
        return families_[static_cast<std::size_t>(family_of(key))];
    }
    // In order of number.
    std::vector<TableFile> tables() const;
    CompactionDebt compaction_debt() const;
    std::uint64_t sequence() const { return db_->GetLatestSequenceNumber(); }

private:
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace storage
