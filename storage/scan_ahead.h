#pragma once

#include <string_view>

#include "storage/snapshot.h"

namespace storage {

// As Snapshot::scan, for scans so long that reading and visiting should share them out: a thread
// of its own reads while `visit` runs in the caller's, at most a megabyte ahead. Neither outlives
// the call.
cdp::Result<void> scan_ahead(const Snapshot& snapshot, std::string_view prefix,
                             std::string_view from, const Visit& visit);

}  // namespace storage
