#pragma once

#include "storage/rocks_store.h"
#include "storage/scrubber.h"
#include "storage/space_watch.h"

namespace api {

// How the disk is looked after while it is served.
struct DiskConfig {
    storage::Reserve reserve{.bytes = std::uint64_t{512} << 20, .percent_max = 5};
    std::size_t cache_bytes = storage::kBlockCacheBytes;
    storage::ScrubPace scrub{.cycle = std::chrono::days{7}};
};

}  // namespace api
