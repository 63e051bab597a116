#pragma once

#include <rocksdb/db.h>

#include <memory>
#include <span>

#include "storage/store.h"

namespace storage {

// Of the database as it is now. `families` are in the order of Family and, like the database,
// outlive the snapshot.
std::unique_ptr<Snapshot> take_rocks_snapshot(
    rocksdb::DB& db, std::span<rocksdb::ColumnFamilyHandle* const> families, Version version);

}  // namespace storage
