#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cdp/base/result.h"

// Records of a few bytes, each at the start of a file of its own and overwritten in place: so few
// lie in one sector, which a disk writes whole, and need no room when the disk is full.
namespace storage {

inline constexpr std::size_t kRecordDigestBytes = 16;

// With the BLAKE2b-128 of it behind it: who reads a record makes it again and compares.
std::string with_digest(std::string record);

// Into a file that is open for writing. Survives the process when it returns, and the machine after
// sync_record().
cdp::Result<void> overwrite_record(int descriptor, const std::string& path,
                                   std::string_view record);
cdp::Result<void> sync_record(int descriptor, const std::string& path);
// Both; makes the file when there is none.
cdp::Result<void> write_record(const std::string& path, std::string_view record);

// Error not_found, no_record: there is no such file.
cdp::Result<std::string> read_record(const std::string& path);

}  // namespace storage
