#pragma once

#include <memory>

#include "storage/store.h"

namespace storage {

// The reference implementation: a map in memory, the same promises except durability. Commits at
// once, on the caller's thread, so tests that use it are deterministic.
std::unique_ptr<Store> make_memory_store();

}  // namespace storage
