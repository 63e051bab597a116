#pragma once

#include <rocksdb/status.h>

#include <optional>
#include <string>

#include "cdp/base/result.h"

namespace storage {

// What a failed status means to us; `doing` is for the log. The status' own words name files, never
// what is in them.
cdp::Error translate(const rocksdb::Status& status, const char* doing);

// The same while opening, when a missing file is damage.
cdp::Error translate_open(const rocksdb::Status& status, const std::string& path);

// `holder`: the process that has it, when that can be told.
cdp::Error dir_locked(std::string detail, std::optional<int> holder);
cdp::Error store_damaged(std::string detail);

}  // namespace storage
