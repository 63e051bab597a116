#pragma once

#include <cstdint>
#include <string>

#include "cdp/base/result.h"

namespace storage {

// What RocksDB's MANIFEST, the list of tables, began with when it was looked at. It only grows,
// until one of a higher number takes its place: one that begins otherwise or ends earlier was cut
// or changed, and may name the tables of an earlier day without anything looking wrong.
struct ManifestMark {
    std::uint64_t number = 0;  // of the file; 0: not looked at
    std::uint64_t bytes = 0;
    std::string digest;  // BLAKE2b-128 of so many bytes

    bool operator==(const ManifestMark&) const = default;
};

// Of the database in `folder` as it is on disk now. What is looked at is synced first, so that no
// loss of power makes it untrue. Costs next to nothing when it still is as in `last`.
cdp::Result<ManifestMark> look_at_manifest(const std::string& folder, const ManifestMark& last);

// Unless the MANIFEST is the marked one or a later one: error store_damaged, and for an earlier one
// writes_missing.
cdp::Result<void> check_manifest(const std::string& folder, const ManifestMark& mark);

}  // namespace storage
