#include "storage/rocks_snapshot.h"

#include <algorithm>

#include "storage/key.h"
#include "storage/rocks_door.h"
#include "storage/rocks_error.h"
#include "storage/rocks_layout.h"

namespace storage {
namespace {

// The first key after all that start with `prefix`; empty when there is none.
std::string after(std::string_view prefix) {
    std::string next(prefix);
    while (!next.empty() && next.back() == '\xff') next.pop_back();
    if (!next.empty()) ++next.back();
    return next;
}

// The one maker of iterators. Without ignore_range_deletions RocksDB steps over a damaged block
// with status OK, and the scan has a hole that nobody sees.
class Cursor {
public:
    Cursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, const rocksdb::Snapshot* snapshot,
           std::string_view prefix, std::string_view from)
        : end_(after(prefix)), end_slice_(end_) {
        rocksdb::ReadOptions options;
        options.snapshot = snapshot;
        options.ignore_range_deletions = true;
        // Within one group the filters over groups may say that there is nothing; a scan of several
        // must not ask them.
        options.total_order_seek = prefix.size() < kGroupBytes;
        if (!end_.empty()) options.iterate_upper_bound = &end_slice_;
        iterator_.reset(through_door([&] { return db.NewIterator(options, family); }));
        iterator_->Seek(std::max(prefix, from));
    }
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    bool valid() const { return iterator_->Valid(); }
    void next() { iterator_->Next(); }
    std::string_view key() const { return iterator_->key().ToStringView(); }
    std::string_view value() const { return iterator_->value().ToStringView(); }
    // A cursor that is no longer valid has come to its end only if this is OK.
    rocksdb::Status status() const { return iterator_->status(); }

private:
    const std::string end_;
    const rocksdb::Slice end_slice_;
    std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksSnapshot final : public Snapshot {
public:
    RocksSnapshot(rocksdb::DB& db, std::span<rocksdb::ColumnFamilyHandle* const> families,
                  Version version)
        : db_(db), families_(families), version_(version), snapshot_(db.GetSnapshot()) {
        options_.snapshot = snapshot_;
    }
    ~RocksSnapshot() override { db_.ReleaseSnapshot(snapshot_); }
    RocksSnapshot(const RocksSnapshot&) = delete;
    RocksSnapshot& operator=(const RocksSnapshot&) = delete;

    Version version() const override { return version_; }

    cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
        rocksdb::PinnableSlice value;
        const auto status =
            through_door([&] { return db_.Get(options_, family(key), key, &value); });
        if (status.IsNotFound()) return std::optional<std::string>{};
        if (!status.ok()) return translate(status, "get");
        return std::optional<std::string>(value.ToString());
    }

    cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const override {
        std::vector<rocksdb::ColumnFamilyHandle*> families;
        std::vector<rocksdb::Slice> slices;
        families.reserve(keys.size());
        slices.reserve(keys.size());
        for (const std::string& key : keys) {
            families.push_back(family(key));
            slices.emplace_back(key);
        }
        std::vector<rocksdb::PinnableSlice> found(keys.size());
        std::vector<rocksdb::Status> statuses(keys.size());
        through_door([&] {
            db_.MultiGet(options_, keys.size(), families.data(), slices.data(), found.data(),
                         statuses.data());
        });

        std::vector<std::optional<std::string>> values(keys.size());
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (statuses[i].ok())
                values[i] = found[i].ToString();
            else if (!statuses[i].IsNotFound())
                return translate(statuses[i], "multi_get");
        }
        return values;
    }

    cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                           const Visit& visit) const override {
        std::vector<std::unique_ptr<Cursor>> cursors;
        const auto add = [&](rocksdb::ColumnFamilyHandle* in) {
            cursors.push_back(std::make_unique<Cursor>(db_, in, snapshot_, prefix, from));
        };
        // A prefix that holds a Space lies in one family; a shorter one is merged from all.
        if (prefix.size() > sizeof(Partition)) return scan_one(family(prefix), prefix, from, visit);
        std::ranges::for_each(families_, add);

        for (;;) {
            Cursor* first = nullptr;
            for (const auto& cursor : cursors) {
                if (!cursor->valid()) {
                    if (!cursor->status().ok()) return translate(cursor->status(), "scan");
                } else if (!first || cursor->key() < first->key()) {
                    first = cursor.get();
                }
            }
            if (!first || !visit(first->key(), first->value())) return cdp::Result<void>::ok();
            first->next();
        }
    }

private:
    cdp::Result<void> scan_one(rocksdb::ColumnFamilyHandle* in, std::string_view prefix,
                               std::string_view from, const Visit& visit) const {
        Cursor cursor(db_, in, snapshot_, prefix, from);
        for (; cursor.valid(); cursor.next())
            if (!visit(cursor.key(), cursor.value())) return cdp::Result<void>::ok();
        if (!cursor.status().ok()) return translate(cursor.status(), "scan");
        return cdp::Result<void>::ok();
    }

    rocksdb::ColumnFamilyHandle* family(std::string_view key) const {
        return families_[static_cast<std::size_t>(family_of(key))];
    }

    rocksdb::DB& db_;
    std::span<rocksdb::ColumnFamilyHandle* const> families_;
    Version version_;
    const rocksdb::Snapshot* snapshot_;
    rocksdb::ReadOptions options_;
};

}  // namespace

std::unique_ptr<Snapshot> take_rocks_snapshot(
    rocksdb::DB& db, std::span<rocksdb::ColumnFamilyHandle* const> families, Version version) {
    return std::make_unique<RocksSnapshot>(db, families, version);
}

}  // namespace storage
