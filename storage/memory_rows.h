#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/sequencer.h"
#include "storage/snapshot.h"

namespace storage {

// The rows of a store in memory, with what each was as long as a snapshot of then lives: an engine
// that never fails. Snapshots are taken and read from any thread; it must outlive them.
class MemoryRows final : public Engine {
public:
    cdp::Result<void> apply(std::span<const Row> rows) override;
    cdp::Result<std::optional<std::string>> latest(std::string_view key) override;
    Health recover() override { return Health::ok; }

    // What is there now. `version` is the sequencer's, published before.
    std::unique_ptr<Snapshot> snapshot(Version version);

private:
    // How many batches were applied: not the sequencer's versions.
    using Moment = std::uint64_t;

    // Every value a key has had since the oldest snapshot that is alive.
    class History {
    public:
        void write(Moment moment, std::optional<std::string> value, Moment oldest);
        const std::optional<std::string>& at(Moment moment) const;

    private:
        struct Value {
            Moment moment;
            std::optional<std::string> value;
        };
        std::vector<Value> values_;  // oldest first
    };
    class View;

    std::optional<std::string> get(std::string_view key, Moment moment) const;
    std::vector<std::pair<std::string, std::string>> page(std::string_view prefix,
                                                          std::string_view from, std::size_t max,
                                                          Moment moment) const;
    Moment pin();
    void unpin(Moment moment);

    mutable std::shared_mutex mutex_;
    std::map<std::string, History, std::less<>> rows_;
    Moment moment_ = 0;
    std::multiset<Moment> pinned_;
};

}  // namespace storage
