#pragma once

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "storage/key.h"
#include "storage/memory_store.h"
#include "storage/rocks_store.h"
#include "storage/store.h"
#include "tests/storage/folder.h"

namespace tests {

// Tokens sort as their numbers.
inline cdp::Token token(std::uint64_t n) {
    cdp::Token id;
    for (std::size_t i = 0; i < 16; ++i)
        id.bytes[i] = static_cast<std::uint8_t>(n >> (8 * (7 - i % 8)));
    return id;
}

inline std::string key(storage::Space space, std::uint64_t subject, std::uint64_t row) {
    return storage::KeyWriter(space, token(subject)).number(row).str();
}
inline std::string group(storage::Space space, std::uint64_t subject) {
    return storage::KeyWriter(space, token(subject)).str();
}

inline storage::RocksOptions rocks_options(const Folder& folder) {
    return {.path = folder / "db", .mark_path = folder / "mark", .memtable_bytes = 1u << 20};
}

inline std::unique_ptr<storage::Store> open_rocks(const Folder& folder) {
    auto store = storage::open_rocks_store(rocks_options(folder));
    if (!store) FAIL(store.error().reason + ": " + store.error().detail);
    return std::move(*store);
}

inline std::unique_ptr<storage::Store> new_rocks(const Folder& folder) {
    const auto created = storage::create_rocks_store(rocks_options(folder));
    if (!created) FAIL(created.error().reason + ": " + created.error().detail);
    return open_rocks(folder);
}

inline storage::CommitOutcome put(storage::Store& store, std::string key, std::string value) {
    const auto snapshot = store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.put(std::move(key), std::move(value));
    return commit_and_wait(store, std::move(transaction));
}

inline std::optional<std::string> get(const storage::Store& store, const std::string& key) {
    return store.snapshot()->get(key).value();
}

}  // namespace tests
