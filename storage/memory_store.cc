#include "storage/memory_store.h"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

#include "storage/sequencer.h"

namespace storage {
namespace {

// Every value a key has had since the oldest snapshot that is alive.
class History {
public:
    void write(Version version, std::optional<std::string> value, Version oldest) {
        values_.push_back({version, std::move(value)});
        // The oldest snapshot sees the last value at or before it; what came earlier nobody sees.
        const auto seen = std::ranges::upper_bound(values_, oldest, {}, &Value::version);
        if (seen != values_.begin()) values_.erase(values_.begin(), seen - 1);
    }

    const std::optional<std::string>& at(Version version) const {
        static const std::optional<std::string> nothing;
        const auto after = std::ranges::upper_bound(values_, version, {}, &Value::version);
        return after == values_.begin() ? nothing : (after - 1)->value;
    }

private:
    struct Value {
        Version version;
        std::optional<std::string> value;
    };
    std::vector<Value> values_;  // oldest first
};

// All rows with their histories. Its versions are its own: how many batches it has applied.
class Rows final : public Engine {
public:
    cdp::Result<void> apply(std::span<const Row> rows) override {
        const std::unique_lock lock(mutex_);
        ++version_;
        const Version oldest = snapshots_.empty() ? version_ : *snapshots_.begin();
        for (const Row& row : rows) {
            auto value = row.value ? std::optional<std::string>(*row.value) : std::nullopt;
            rows_[std::string(row.key)].write(version_, std::move(value), oldest);
        }
        return cdp::Result<void>::ok();
    }

    cdp::Result<std::optional<std::string>> latest(std::string_view key) override {
        return get(key, std::numeric_limits<Version>::max());
    }

    Health recover() override { return Health::ok; }

    std::optional<std::string> get(std::string_view key, Version version) const {
        const std::shared_lock lock(mutex_);
        const auto row = rows_.find(key);
        return row == rows_.end() ? std::nullopt : row->second.at(version);
    }

    // Up to `max` pairs under `prefix` from `from` on. A copy, so that no lock is held while the
    // caller looks at them.
    std::vector<std::pair<std::string, std::string>> page(std::string_view prefix,
                                                          std::string_view from, std::size_t max,
                                                          Version version) const {
        std::vector<std::pair<std::string, std::string>> pairs;
        const std::shared_lock lock(mutex_);
        for (auto row = rows_.lower_bound(from); row != rows_.end(); ++row) {
            if (!row->first.starts_with(prefix) || pairs.size() == max) break;
            if (const auto& value = row->second.at(version)) pairs.emplace_back(row->first, *value);
        }
        return pairs;
    }

    Version pin() {
        const std::unique_lock lock(mutex_);
        snapshots_.insert(version_);
        return version_;
    }
    void unpin(Version version) {
        const std::unique_lock lock(mutex_);
        snapshots_.erase(snapshots_.find(version));
    }

private:
    mutable std::shared_mutex mutex_;
    std::map<std::string, History, std::less<>> rows_;
    Version version_ = 0;
    std::multiset<Version> snapshots_;
};

class MemorySnapshot final : public Snapshot {
public:
    MemorySnapshot(Rows& rows, Version version)
        : rows_(rows), version_(version), pinned_(rows.pin()) {}
    ~MemorySnapshot() override { rows_.unpin(pinned_); }
    MemorySnapshot(const MemorySnapshot&) = delete;
    MemorySnapshot& operator=(const MemorySnapshot&) = delete;

    Version version() const override { return version_; }

    cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
        return rows_.get(key, pinned_);
    }

    cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const override {
        std::vector<std::optional<std::string>> values;
        values.reserve(keys.size());
        for (const std::string& key : keys) values.push_back(rows_.get(key, pinned_));
        return values;
    }

    cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                           const Visit& visit) const override {
        constexpr std::size_t kPage = 64;
        std::string next(std::max(prefix, from));
        for (;;) {
            const auto pairs = rows_.page(prefix, next, kPage, pinned_);
            for (const auto& [key, value] : pairs)
                if (!visit(key, value)) return cdp::Result<void>::ok();
            if (pairs.size() < kPage) return cdp::Result<void>::ok();
            next = pairs.back().first + '\0';
        }
    }

private:
    Rows& rows_;
    Version version_;
    Version pinned_;
};

class MemoryStore final : public Store {
public:
    std::unique_ptr<Snapshot> snapshot() const override {
        const Version version = sequencer_.published();
        return std::make_unique<MemorySnapshot>(rows_, version);
    }

    void commit(std::vector<Transaction> transactions, Committed done) override {
        std::vector<const Transaction*> group;
        for (const Transaction& transaction : transactions) group.push_back(&transaction);
        std::unique_lock lock(mutex_);
        auto outcomes = sequencer_.commit(group);
        lock.unlock();  // `done` may commit again
        done(std::move(outcomes));
    }

    bool current(const ReadSet& reads) const override { return sequencer_.current(reads); }
    Counts counts() const override { return sequencer_.counts(); }
    std::size_t waiting() const override { return 0; }
    Health health() const override { return sequencer_.health(); }

private:
    mutable Rows rows_;
    Sequencer sequencer_{rows_};
    std::mutex mutex_;  // one commit at a time
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
    return std::make_unique<MemoryStore>();
}

}  // namespace storage
