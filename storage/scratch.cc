#include "storage/scratch.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "storage/file.h"
#include "storage/rocks_store.h"

namespace storage {

cdp::Result<std::unique_ptr<ScratchStore>> ScratchStore::make(const std::string& path) {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) return system_error("remove " + path, error.value());
    if (::mkdir(path.c_str(), 0700) != 0) return system_error("mkdir " + path, errno);
    std::unique_ptr<ScratchStore> scratch(new ScratchStore(path));
    // RocksDB would make it too, and log an error first.
    if (::mkdir((path + "/db").c_str(), 0700) != 0) return system_error("mkdir " + path, errno);
    const RocksOptions options{.path = path + "/db",
                               .mark_path = path + "/mark",
                               .sync = false,
                               .block_cache_bytes = 64u << 20,
                               .memtable_bytes = 32u << 20};
    CDP_CHECK(create_rocks_store(options));
    scratch->store_ = CDP_TRY(open_rocks_store(options));
    return scratch;
}

ScratchStore::~ScratchStore() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace storage
