#pragma once

#include <rocksdb/db.h>

#include <string>
#include <string_view>
#include <vector>

#include "storage/rocks_store.h"

// How our key spaces lie in a RocksDB, and how it is set up to lose nothing in silence.
namespace storage {

// Facts come in order of arrival and are rarely read; index rows die by themselves; the rest is
// small, hot and rewritten. Kept apart, none pays for another's compactions.
enum class Family { state, facts, index };
inline constexpr std::size_t kFamilies = 3;

// Of a key, or of a prefix that holds its Space.
Family family_of(std::string_view key);

rocksdb::DBOptions database_options(const RocksOptions& options);

// The first warning under these options, empty when there was none: it names the file, where the
// status of a damaged log names nothing.
std::string first_complaint(const rocksdb::DBOptions& options);

// In the order of Family.
std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(const RocksOptions& options);

}  // namespace storage
