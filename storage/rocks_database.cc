#include "storage/rocks_database.h"

#include <rocksdb/file_checksum.h>

#include <algorithm>
#include <utility>

#include "storage/rocks_error.h"

namespace storage {

cdp::Result<std::unique_ptr<Database>> Database::open(const RocksOptions& options, Mode mode) {
    auto database = std::make_unique<Database>();
    auto settings = database_options(options);
    settings.create_if_missing = mode == Mode::create;
    settings.create_missing_column_families = mode == Mode::create;
    settings.error_if_exists = mode == Mode::create;
    const auto descriptors = family_descriptors(options);
    rocksdb::DB* raw = nullptr;
    const auto status =
        mode == Mode::read_only
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

Database::~Database() {
    if (!db_) return;
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
    db_->Close().PermitUncheckedError();
}

}  // namespace storage
