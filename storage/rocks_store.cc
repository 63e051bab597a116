#include "storage/rocks_store.h"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "cdp/base/assert.h"
#include "cdp/base/crash_point.h"
#include "storage/committer.h"
#include "storage/database_files.h"
#include "storage/high_water_mark.h"
#include "storage/lock_holder.h"
#include "storage/rocks_database.h"
#include "storage/rocks_door.h"
#include "storage/rocks_error.h"
#include "storage/rocks_snapshot.h"
#include "storage/scrubber.h"
#include "storage/sequencer.h"
#include "storage/space_watch.h"
#include "storage/trusted_time.h"

namespace storage {
namespace {

class RocksEngine final : public Engine {
public:
    RocksEngine(Database& database, HighWaterMark& mark, bool sync)
        : database_(database), mark_(mark) {
        write_options_.sync = sync;
    }

    cdp::Result<void> apply(std::span<const Row> rows) override {
        batch_.Clear();
        for (const Row* row : in_order(rows)) {
            auto* family = database_.family(row->key);
            const auto added = row->value ? batch_.Put(family, row->key, *row->value)
                                          : batch_.Delete(family, row->key);
            if (!added.ok()) return translate(added, "batch");
        }
        const auto status = database_.db().Write(write_options_, &batch_);
        if (!status.ok()) return translate(status, "commit");
        cdp::crash_point("log_synced");
        mark_.raise(database_.sequence());
        return cdp::Result<void>::ok();
    }

    cdp::Result<std::optional<std::string>> latest(std::string_view key) override {
        std::string value;
        const auto status = through_door(
            [&] { return database_.db().Get({}, database_.family(key), key, &value); });
        if (status.IsNotFound()) return std::optional<std::string>{};
        if (!status.ok()) return translate(status, "get");
        return std::optional<std::string>(std::move(value));
    }

    // RocksDB also recovers from a full disk by itself, and then this finds nothing left to do.
    Health recover() override {
        const auto status = database_.db().Resume();
        if (status.ok()) return Health::ok;
        return status.severity() >= rocksdb::Status::kFatalError ? Health::failed
                                                                 : Health::read_only;
    }

private:
    // In the order of their keys, each is found a place in the memtable next to the one before; of
    // those with the same key the last stays the last.
    std::span<const Row* const> in_order(std::span<const Row> rows) {
        order_.clear();
        for (const Row& row : rows) order_.push_back(&row);
        std::ranges::stable_sort(order_, {}, [](const Row* row) { return row->key; });
        return order_;
    }

    Database& database_;
    HighWaterMark& mark_;
    rocksdb::WriteOptions write_options_;
    // Kept, and their memory with them.
    rocksdb::WriteBatch batch_;
    std::vector<const Row*> order_;
};

class RocksStore final : public Store, public DatabaseFiles {
public:
    RocksStore(std::unique_ptr<TrustedTime> time, std::unique_ptr<Database> database,
               std::unique_ptr<HighWaterMark> mark, const RocksOptions& options)
        : time_(std::move(time)),
          space_(options.path),
          database_(std::move(database)),
          mark_(std::move(mark)),
          engine_(*database_, *mark_, options.sync),
          sequencer_(engine_),
          committer_(sequencer_, {.transactions = options.group_transactions_max}),
          scrubber_([this] { return database_->tables(); }, options.scrub_path) {}

    std::unique_ptr<Snapshot> snapshot() const override {
        const Version version = sequencer_.published();
        return take_rocks_snapshot(database_->db(), database_->families(), version);
    }

    void commit(std::vector<Transaction> transactions, Committed done) override {
        committer_.commit(std::move(transactions), std::move(done));
    }

    bool current(const ReadSet& reads) const override { return sequencer_.current(reads); }
    Counts counts() const override { return sequencer_.counts(); }
    std::size_t waiting() const override { return committer_.waiting(); }
    Health health() const override {
        const auto health = sequencer_.health();
        return health == Health::ok && committer_.stalled() ? Health::read_only : health;
    }

    // Waits for the memtables to be flushed, for no commit.
    cdp::Result<void> link_to(const std::string& folder) const override {
        rocksdb::Checkpoint* raw = nullptr;
        const auto made = rocksdb::Checkpoint::Create(&database_->db(), &raw);
        const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
        if (!made.ok()) return translate(made, "checkpoint");
        const auto linked = checkpoint->CreateCheckpoint(folder);
        return linked.ok() ? cdp::Result<void>::ok() : translate(linked, "checkpoint");
    }

    // The one says what is wrong inside a table, the other that all of it is as it was written.
    cdp::Result<void> scrub() const override {
        auto status = database_->db().VerifyFileChecksums({});
        if (status.ok()) status = database_->db().VerifyChecksum({});
        return status.ok() ? cdp::Result<void>::ok() : translate(status, "scrub");
    }

    CompactionDebt compaction_debt() const override { return database_->compaction_debt(); }

    TrustedTime* time() const override { return time_.get(); }
    SpaceWatch& space() const override { return space_; }
    Scrubber& scrubber() const override { return scrubber_; }

private:
    // Destroyed from the last: the committer answers what waits, then the mark is written, then the
    // database is closed, which asks for the time until then.
    const std::unique_ptr<TrustedTime> time_;
    mutable SpaceWatch space_;
    const std::unique_ptr<Database> database_;
    const std::unique_ptr<HighWaterMark> mark_;
    RocksEngine engine_;
    Sequencer sequencer_;
    Committer committer_;
    mutable Scrubber scrubber_;
};

// Holds the lock that RocksDB itself takes, for as long as we look before it opens.
class Lock {
public:
    static cdp::Result<std::unique_ptr<Lock>> take(const std::string& path) {
        auto lock = std::make_unique<Lock>();
        // Never opened here: closing it would give up the lock that this process may hold already.
        const auto name = path + "/LOCK";
        if (::access(name.c_str(), W_OK) != 0 && errno != ENOENT)
            return system_error("open " + name, errno);
        const auto status = lock->env_->LockFile(name, &lock->file_);
        if (!status.ok()) return dir_locked(status.ToString(), lock_holder(name));
        return lock;
    }
    Lock() = default;
    ~Lock() {
        if (file_) env_->UnlockFile(file_).PermitUncheckedError();
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

private:
    rocksdb::Env* env_ = rocksdb::Env::Default();
    rocksdb::FileLock* file_ = nullptr;
};

cdp::Error writes_missing(std::uint64_t reached, std::uint64_t mark) {
    return {
        .code = cdp::ErrorCode::corruption,
        .reason = "writes_missing",
        .message = "The database ends before its high-water mark: acknowledged writes are gone.",
        .detail = "sequence " + std::to_string(reached) + " of " + std::to_string(mark)};
}

cdp::Result<void> check_mark(const Database& database, std::uint64_t mark) {
    if (database.sequence() < mark) return writes_missing(database.sequence(), mark);
    return cdp::Result<void>::ok();
}

// Everything that can refuse, before a byte is written: an ordinary open deletes the files it does
// not know, so a cut MANIFEST would cost the data it no longer names.
cdp::Result<HighWaterMark::Mark> look_before_opening(const RocksOptions& options) {
    if (std::error_code error; !std::filesystem::exists(options.path + "/CURRENT", error))
        return store_damaged(options.path + "/CURRENT is missing");
    const auto lock = CDP_TRY(Lock::take(options.path));
    const auto mark = CDP_TRY(HighWaterMark::read(options.mark_path));
    CDP_CHECK(check_manifest(options.path, mark.manifest));
    const auto database = CDP_TRY(Database::open(options, Database::Mode::glance));
    CDP_CHECK(check_mark(*database, mark.sequence));
    if (options.inspect)
        CDP_CHECK(options.inspect(*take_rocks_snapshot(database->db(), database->families(), 0)));
    return mark;
}

}  // namespace

cdp::Result<void> create_rocks_store(const RocksOptions& options) {
    std::error_code error;
    if (std::filesystem::exists(options.path) && !std::filesystem::is_empty(options.path, error))
        return cdp::Error{.code = cdp::ErrorCode::conflict,
                          .reason = "dir_not_empty",
                          .message = "The database folder is not empty.",
                          .detail = options.path};
    const auto database = CDP_TRY(Database::open(options, Database::Mode::create));
    CDP_CHECK(sync_folder(options.path));
    CDP_CHECK(sync_folder(folder_of(options.path)));
    return HighWaterMark::create(options.mark_path, database->sequence());
}

cdp::Result<std::unique_ptr<Store>> open_rocks_store(const RocksOptions& options) {
    const auto mark = CDP_TRY(look_before_opening(options));
    std::unique_ptr<TrustedTime> time;
    auto timed = options;
    if (!options.time_path.empty()) {
        time = TrustedTime::keep(options.time_path, options.path);
        timed.clock = [clock = time.get()] { return clock->earliest(); };
    }
    auto database = CDP_TRY(Database::open(timed, Database::Mode::read_write));
    CDP_CHECK(check_mark(*database, mark.sequence));
    auto keeper = CDP_TRY(HighWaterMark::keep(options.mark_path, options.path, mark));
    keeper->raise(database->sequence());
    return std::unique_ptr<Store>(std::make_unique<RocksStore>(std::move(time), std::move(database),
                                                               std::move(keeper), options));
}

}  // namespace storage
