#include "storage/memory_rows.h"

#include <algorithm>
#include <limits>
#include <mutex>

namespace storage {

void MemoryRows::History::write(Moment moment, std::optional<std::string> value, Moment oldest) {
    values_.push_back({moment, std::move(value)});
    // The oldest snapshot sees the last value at or before it; what came earlier nobody sees.
    const auto seen = std::ranges::upper_bound(values_, oldest, {}, &Value::moment);
    if (seen != values_.begin()) values_.erase(values_.begin(), seen - 1);
}

const std::optional<std::string>& MemoryRows::History::at(Moment moment) const {
    static const std::optional<std::string> nothing;
    const auto after = std::ranges::upper_bound(values_, moment, {}, &Value::moment);
    return after == values_.begin() ? nothing : (after - 1)->value;
}

class MemoryRows::View final : public Snapshot {
public:
    View(MemoryRows& rows, Version version) : rows_(rows), version_(version), pinned_(rows.pin()) {}
    ~View() override { rows_.unpin(pinned_); }
    View(const View&) = delete;
    View& operator=(const View&) = delete;

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
    MemoryRows& rows_;
    const Version version_;
    const Moment pinned_;
};

cdp::Result<void> MemoryRows::apply(std::span<const Row> rows) {
    const std::unique_lock lock(mutex_);
    ++moment_;
    const Moment oldest = pinned_.empty() ? moment_ : *pinned_.begin();
    for (const Row& row : rows) {
        auto value = row.value ? std::optional<std::string>(*row.value) : std::nullopt;
        rows_[std::string(row.key)].write(moment_, std::move(value), oldest);
    }
    return cdp::Result<void>::ok();
}

cdp::Result<std::optional<std::string>> MemoryRows::latest(std::string_view key) {
    return get(key, std::numeric_limits<Moment>::max());
}

std::unique_ptr<Snapshot> MemoryRows::snapshot(Version version) {
    return std::make_unique<View>(*this, version);
}

std::optional<std::string> MemoryRows::get(std::string_view key, Moment moment) const {
    const std::shared_lock lock(mutex_);
    const auto row = rows_.find(key);
    return row == rows_.end() ? std::nullopt : row->second.at(moment);
}

// Up to `max` pairs under `prefix` from `from` on. A copy, so that no lock is held while the caller
// looks at them.
std::vector<std::pair<std::string, std::string>> MemoryRows::page(std::string_view prefix,
                                                                  std::string_view from,
                                                                  std::size_t max,
                                                                  Moment moment) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    const std::shared_lock lock(mutex_);
    for (auto row = rows_.lower_bound(from); row != rows_.end(); ++row) {
        if (!row->first.starts_with(prefix) || pairs.size() == max) break;
        if (const auto& value = row->second.at(moment)) pairs.emplace_back(row->first, *value);
    }
    return pairs;
}

MemoryRows::Moment MemoryRows::pin() {
    const std::unique_lock lock(mutex_);
    pinned_.insert(moment_);
    return moment_;
}

void MemoryRows::unpin(Moment moment) {
    const std::unique_lock lock(mutex_);
    pinned_.erase(pinned_.find(moment));
}

}  // namespace storage
