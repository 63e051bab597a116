#include "storage/rocks_database.h"

#include <rocksdb/file_checksum.h>
#include <rocksdb/memtablerep.h>

#include <algorithm>
#include <utility>

#include "storage/rocks_error.h"

namespace storage {
namespace {

// Rows of the log are kept as they come: who only looks asks for few of them, and putting all in
// order is most of what reading a log costs.
void keep_unordered(rocksdb::DBOptions& settings,
                    std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
    settings.allow_concurrent_memtable_write = false;
    for (auto& family : families)
        family.options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
}

}  // namespace

cdp::Result<std::unique_ptr<Database>> Database::open(const RocksOptions& options, Mode mode) {
    auto database = std::make_unique<Database>();
    auto settings = database_options(options);
    settings.create_if_missing = mode == Mode::create;
    settings.create_missing_column_families = mode == Mode::create;
    settings.error_if_exists = mode == Mode::create;
    auto descriptors = family_descriptors(options);
    if (mode == Mode::glance) keep_unordered(settings, descriptors);
    rocksdb::DB* raw = nullptr;
    const auto status =
        mode == Mode::read_only || mode == Mode::glance
            ? rocksdb::DB::OpenForReadOnly(settings, options.path, descriptors,
                                           &database->families_, &raw)
            : rocksdb::DB::Open(settings, options.path, descriptors, &database->families_, &raw);
    if (!status.ok()) {
        auto error = translate_open(status, options.path);
        if (const auto said = first_complaint(settings); status.IsCorruption() && !said.empty())
            error.detail += "; " + said;
        return error;
    }
    database->db_.reset(raw);
    return database;
}

std::vector<TableFile> Database::tables() const {
    std::vector<rocksdb::LiveFileMetaData> live;
    db_->GetLiveFilesMetaData(&live);
    std::vector<TableFile> tables;
    for (auto& file : live) {
        const bool ours = file.file_checksum_func_name == rocksdb::kStandardDbFileChecksumFuncName;
        tables.push_back({.number = file.file_number,
                          .path = file.directory + "/" + file.relative_filename,
                          .bytes = file.size,
                          .checksum = ours ? std::move(file.file_checksum) : std::string()});
    }
    std::ranges::sort(tables, {}, &TableFile::number);
    return tables;
}

CompactionDebt Database::compaction_debt() const {
    using Properties = rocksdb::DB::Properties;
    CompactionDebt debt;
    // Of all families together.
    if (!db_->GetAggregatedIntProperty(Properties::kEstimatePendingCompactionBytes, &debt.bytes))
        debt.bytes = 0;
    // Of the database as a whole: any family says the same.
    std::uint64_t rate = 0;
    std::uint64_t stopped = 0;
    db_->GetIntProperty(Properties::kActualDelayedWriteRate, &rate);
    db_->GetIntProperty(Properties::kIsWriteStopped, &stopped);
    debt.writes_slowed = rate > 0 || stopped > 0;
    return debt;
}

Database::~Database() {
    if (!db_) return;
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
    db_->Close().PermitUncheckedError();
}

}  // namespace storage
