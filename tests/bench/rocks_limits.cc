#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "cdp/base/random.h"
#include "storage/rocks_layout.h"
#include "tests/bench/commands.h"

namespace bench {
namespace {

struct StoredRow {
    std::size_t family;
    std::string key;
    std::string value;

    auto operator<=>(const StoredRow&) const = default;
};

using Handles = std::vector<rocksdb::ColumnFamilyHandle*>;

void check(const rocksdb::Status& status) {
    if (status.ok()) return;
    std::fprintf(stderr, "rocksdb: %s\n", status.ToString().c_str());
    std::exit(1);
}

// A database open with the same options as cdp's own.
struct Database {
    Database(const std::string& folder, bool create) {
        storage::RocksOptions layout;
        layout.path = folder;
        auto options = storage::database_options(layout);
        options.create_if_missing = create;
        options.create_missing_column_families = create;
        rocksdb::DB* opened = nullptr;
        check(rocksdb::DB::Open(options, folder, storage::family_descriptors(layout), &handles,
                                &opened));
        db.reset(opened);
    }
    ~Database() {
        for (auto* handle : handles) check(db->DestroyColumnFamilyHandle(handle));
        check(db->Close());
    }

    std::unique_ptr<rocksdb::DB> db;
    Handles handles;
};

using Rows = std::vector<StoredRow>;

// In order of family and key.
Rows rows_of(const std::string& folder, bool log_only) {
    Database database(folder, /*create=*/false);
    Rows rows;
    for (std::size_t family = 0; family < database.handles.size(); ++family) {
        const std::unique_ptr<rocksdb::Iterator> at(
            database.db->NewIterator({}, database.handles[family]));
        for (at->SeekToFirst(); at->Valid(); at->Next()) {
            const auto key = at->key().ToStringView();
            const bool is_event = key.size() > 2 && key[2] == 'E';
            if (!log_only || is_event)
                rows.push_back({family, std::string(key), at->value().ToString()});
        }
        check(at->status());
    }
    return rows;
}

Rows rows_to_write(const RowsOptions& options) {
    auto rows = rows_of(options.from, options.log_only);
    if (!options.before.empty()) {
        const auto known = rows_of(options.before, options.log_only);
        Rows fresh;
        std::ranges::set_difference(rows, known, std::back_inserter(fresh));
        rows = std::move(fresh);
    }
    // Events arrive in no order of their keys.
    cdp::Random random{1};
    for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
    if (options.rows_most != 0 && rows.size() > options.rows_most) rows.resize(options.rows_most);
    return rows;
}

// Tables are never written again: they are linked.
void copy_database(const std::string& from, const std::string& to) {
    std::filesystem::create_directory(to);
    for (const auto& entry : std::filesystem::directory_iterator(from)) {
        const auto copy = std::filesystem::path(to) / entry.path().filename();
        if (entry.path().extension() == ".sst")
            std::filesystem::create_hard_link(entry.path(), copy);
        else
            std::filesystem::copy_file(entry.path(), copy);
    }
}

std::string sequential_key(std::uint64_t n) {
    std::string key(8, '\0');
    for (int i = 0; i < 8; ++i)
        key[static_cast<std::size_t>(i)] = static_cast<char>(n >> (56 - 8 * i));
    return key;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How many seconds it took.
double write_alone(const RowsOptions& options, const Rows& rows) {
    const bool afresh = options.before.empty() || options.log_only;
    if (!afresh) copy_database(options.before, options.folder);
    Database database(options.folder, afresh);
    rocksdb::WriteOptions write;
    write.sync = true;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < rows.size();) {
        rocksdb::WriteBatch batch;
        const auto end = std::min(rows.size(), i + options.rows_per_group);
        for (; i < end; ++i)
            check(batch.Put(database.handles[rows[i].family], rows[i].key, rows[i].value));
        check(database.db->Write(write, &batch));
    }
    return seconds_since(start);
}

}  // namespace

bool run_rows(const RowsOptions& options) {
    auto rows = rows_to_write(options);
    if (options.log_only)
        for (std::size_t i = 0; i < rows.size(); ++i) rows[i].key = sequential_key(i);
    std::string rates;
    for (std::uint64_t run = 0; run < options.runs; ++run) {
        const auto took = write_alone(options, rows);
        rates += (run ? "," : "") + std::to_string(static_cast<double>(rows.size()) / took);
        std::filesystem::remove_all(options.folder);
    }
    std::printf("{\"rows\":%zu,\"rows_per_second\":[%s]}\n", rows.size(), rates.c_str());
    return true;
}

bool run_open(const std::string& folder) {
    const auto start = std::chrono::steady_clock::now();
    const Database database(folder, /*create=*/false);
    std::printf("{\"seconds\":%.6f}\n", seconds_since(start));
    return true;
}

}  // namespace bench
