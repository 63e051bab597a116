#include "storage/database_files.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "storage/file.h"
#include "storage/rocks_database.h"
#include "storage/rocks_snapshot.h"

namespace storage {

namespace fs = std::filesystem;

cdp::Result<const DatabaseFiles*> files_of(const Store& store) {
    const auto* files = dynamic_cast<const DatabaseFiles*>(&store);
    if (files) return files;
    return cdp::Error{.code = cdp::ErrorCode::unavailable,
                      .reason = "no_files",
                      .message = "What is served here does not lie in files."};
}

// The snapshot goes before the database.
struct StoreCopy::Open {
    std::unique_ptr<Database> database;
    std::unique_ptr<Snapshot> snapshot;
};

StoreCopy::StoreCopy(std::string folder)
    : folder_(std::move(folder)), open_(std::make_unique<Open>()) {}

StoreCopy::~StoreCopy() {
    open_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

cdp::Result<std::unique_ptr<StoreCopy>> StoreCopy::make(const Store& store,
                                                        const std::string& folder) {
    const auto* files = CDP_TRY(files_of(store));
    std::error_code error;
    fs::remove_all(folder, error);
    if (error) return system_error("remove " + folder, error.value());
    if (::mkdir(folder.c_str(), 0700) != 0) return system_error("mkdir " + folder, errno);
    std::unique_ptr<StoreCopy> copy(new StoreCopy(folder));
    CDP_CHECK(files->link_to(copy->path()));
    const RocksOptions options{
        .path = copy->path(), .mark_path = {}, .block_cache_bytes = 8u << 20};
    auto& open = *copy->open_;
    open.database = CDP_TRY(Database::open(options, Database::Mode::read_only));
    open.snapshot = take_rocks_snapshot(open.database->db(), open.database->families(), 0);
    return copy;
}

const Snapshot& StoreCopy::snapshot() const {
    return *open_->snapshot;
}

std::uint64_t StoreCopy::sequence() const {
    return open_->database->sequence();
}

cdp::Result<std::vector<StoreCopy::File>> StoreCopy::files() const {
    std::vector<File> files;
    std::error_code error;
    for (fs::directory_iterator at(path(), error), end; !error && at != end; at.increment(error)) {
        if (!at->is_regular_file(error) || error) continue;
        files.push_back({at->path().filename().string(), at->file_size(error)});
        if (error) break;
    }
    if (error) return system_error("list " + path(), error.value());
    std::ranges::sort(files, {}, &File::name);
    return files;
}

}  // namespace storage
