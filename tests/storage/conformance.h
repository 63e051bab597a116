#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/bytes.h"
#include "cdp/base/random.h"
#include "storage/key.h"
#include "storage/store.h"
#include "tests/storage/stores.h"

// A random program run on a store and on a model that is too simple to be wrong: whole copies of a
// map. The model knows exactly which commits conflict, so a store passes only if it says the same
// at every step.
namespace tests {

using Rows = std::map<std::string, std::string>;

class Conformance {
public:
    // Closes the store and opens it again; nullptr when the store cannot.
    using Reopen = std::function<std::unique_ptr<storage::Store>(std::unique_ptr<storage::Store>)>;

    Conformance(std::uint64_t seed, std::unique_ptr<storage::Store> store, Reopen reopen)
        : random_(seed), store_(std::move(store)), reopen_(std::move(reopen)) {}

    // What the store did otherwise than the model, or empty.
    std::string run(int steps) {
        for (int step = 0; step < steps; ++step)
            if (auto wrong = this->step(); !wrong.empty())
                return "step " + std::to_string(step) + ": " + wrong;
        return {};
    }

private:
    struct View {
        std::shared_ptr<storage::Snapshot> snapshot;
        Rows rows;
        std::size_t commits;  // before it
    };
    struct Open {
        View view;
        storage::Transaction transaction;
        std::set<std::string> reads = {};  // keys and groups
        std::map<std::string, std::optional<std::string>> writes = {};
        std::vector<storage::Append> appends = {};

        Rows rows() const {
            Rows all = view.rows;
            for (const auto& [key, value] : writes) {
                if (value)
                    all[key] = *value;
                else
                    all.erase(key);
            }
            return all;
        }
    };
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    std::string step() {
        if (views_.empty() || random_.one_in(5)) take_snapshot();
        switch (random_.below(8)) {
            case 0: return read_snapshot();
            case 1: return scan_snapshot();
            case 2: begin(); return {};
            case 3:
            case 4: return use_transaction();
            case 5: return check_current();
            case 6: return reopen_ && random_.one_in(20) ? reopen() : std::string{};
            default: return commit();
        }
    }

    void take_snapshot() {
        if (views_.size() == 4) views_.erase(views_.begin() + below(views_.size()));
        views_.push_back({store_->snapshot(), rows_, touched_.size()});
    }

    std::string reopen() {
        open_.clear();
        views_.clear();
        store_ = reopen_(std::move(store_));
        if (!store_) return "does not open again";
        // Versions start anew, and so do the conflicts.
        touched_.clear();
        return {};
    }

    View& any_view() { return views_[static_cast<std::size_t>(below(views_.size()))]; }

    std::string read_snapshot() {
        const View& view = any_view();
        const auto keys = random_keys();
        if (view.snapshot->get(keys[0]).value() != find(view.rows, keys[0])) return "get differs";
        const auto values = view.snapshot->multi_get(keys).value();
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (values[i] != find(view.rows, keys[i])) return "multi_get differs";
        return {};
    }

    std::string scan_snapshot() {
        const View& view = any_view();
        auto prefix = random_group();
        if (random_.one_in(3)) prefix.resize(2 + random_.below(2));  // a partition, a space
        const auto from = random_.one_in(2) ? random_key() : std::string{};
        const auto max = random_.below(8);
        Pairs seen;
        const auto scanned = view.snapshot->scan(prefix, from, collect(seen, max));
        return scanned && seen == expected(view.rows, prefix, from, max) ? "" : "scan differs";
    }

    void begin() {
        if (open_.size() == 4) open_.erase(open_.begin() + below(open_.size()));
        const View& view = any_view();
        open_.push_back({view, storage::Transaction(*view.snapshot, storage::kPartition)});
    }

    std::string use_transaction() {
        if (open_.empty()) return {};
        Open& open = open_[static_cast<std::size_t>(below(open_.size()))];
        switch (random_.below(6)) {
            case 0: return read_in(open);
            case 1: return scan_in(open);
            case 2: append_in(open); return {};
            default: write_in(open); return {};
        }
    }

    std::string read_in(Open& open) {
        const auto keys = random_keys();
        for (const auto& key : keys)
            if (!open.writes.contains(key)) open.reads.insert("key " + key);
        const auto rows = open.rows();
        if (open.transaction.get(keys[0]).value() != find(rows, keys[0]))
            return "get in a transaction differs";
        const auto values = open.transaction.multi_get(keys).value();
        for (std::size_t i = 0; i < keys.size(); ++i)
            if (values[i] != find(rows, keys[i])) return "multi_get in a transaction differs";
        return {};
    }

    std::string scan_in(Open& open) {
        const auto prefix = random_group();
        open.reads.insert("group " + prefix);
        const auto max = random_.below(8);
        Pairs seen;
        const auto scanned = open.transaction.scan(prefix, collect(seen, max));
        return scanned && seen == expected(open.rows(), prefix, {}, max)
                   ? ""
                   : "scan in a transaction differs";
    }

    void write_in(Open& open) {
        const auto key = random_key();
        if (random_.one_in(3)) {
            open.transaction.erase(key);
            open.writes[key] = std::nullopt;
        } else {
            const auto value = random_value();
            open.transaction.put(key, value);
            open.writes[key] = value;
        }
    }

    void append_in(Open& open) {
        storage::Append append{group(storage::Space::log, random_.below(2)), random_value()};
        open.transaction.append(append.log, append.value);
        open.appends.push_back(std::move(append));
    }

    bool stale(const Open& open) const {
        for (std::size_t i = open.view.commits; i < touched_.size(); ++i)
            for (const auto& mark : touched_[i])
                if (open.reads.contains(mark)) return true;
        return false;
    }

    std::string check_current() {
        for (const Open& open : open_)
            if (store_->current(open.transaction.reads()) == stale(open)) return "current differs";
        return {};
    }

    std::string commit() {
        if (open_.empty()) return {};
        const auto count = static_cast<std::ptrdiff_t>(1 + random_.below(open_.size()));
        std::vector<Open> group(std::move_iterator(open_.begin()),
                                std::move_iterator(open_.begin() + count));
        open_.erase(open_.begin(), open_.begin() + count);

        std::vector<storage::Transaction> transactions;
        for (Open& open : group) transactions.push_back(std::move(open.transaction));
        const auto outcomes = commit_all(std::move(transactions));
        if (outcomes.size() != group.size()) return "an outcome is missing";
        for (std::size_t i = 0; i < group.size(); ++i)
            if (auto wrong = apply(group[i], outcomes[i]); !wrong.empty()) return wrong;
        return {};
    }

    std::vector<storage::CommitOutcome> commit_all(std::vector<storage::Transaction> transactions) {
        std::promise<std::vector<storage::CommitOutcome>> promise;
        auto future = promise.get_future();
        store_->commit(std::move(transactions), [&](std::vector<storage::CommitOutcome> outcomes) {
            promise.set_value(std::move(outcomes));
        });
        return future.get();
    }

    std::string apply(const Open& open, const storage::CommitOutcome& outcome) {
        if (stale(open))
            return outcome.state == storage::CommitState::conflict ? "" : "a conflict was missed";
        if (outcome.state != storage::CommitState::ok) return "a commit failed without need";

        auto& touched = touched_.emplace_back();
        const auto touch = [&](const std::string& key) {
            touched.insert("key " + key);
            touched.insert("group " + key.substr(0, storage::kGroupBytes));
        };
        for (const auto& [key, value] : open.writes) {
            touch(key);
            if (value)
                rows_[key] = *value;
            else
                rows_.erase(key);
        }
        std::vector<std::uint64_t> appended;
        for (const auto& append : open.appends) {
            appended.push_back(next_index_[append.log]++);
            const auto key = cdp::ByteWriter().raw(append.log).u64(appended.back()).take();
            touch(key);
            rows_[key] = append.value;
        }
        return outcome.appended == appended ? "" : "an append got another index";
    }

    static std::optional<std::string> find(const Rows& rows, const std::string& key) {
        const auto row = rows.find(key);
        return row == rows.end() ? std::nullopt : std::optional(row->second);
    }

    // Without the store's own counters.
    static storage::Visit collect(Pairs& seen, std::size_t max) {
        return [&seen, max](std::string_view key, std::string_view value) {
            if (key[2] != static_cast<char>(storage::Space::meta)) seen.emplace_back(key, value);
            return seen.size() <= max;
        };
    }

    static Pairs expected(const Rows& rows, const std::string& prefix, const std::string& from,
                          std::size_t max) {
        Pairs pairs;
        for (auto row = rows.lower_bound(std::max(prefix, from)); row != rows.end(); ++row) {
            if (!row->first.starts_with(prefix) || pairs.size() > max) break;
            pairs.emplace_back(*row);
        }
        return pairs;
    }

    std::ptrdiff_t below(std::size_t n) { return static_cast<std::ptrdiff_t>(random_.below(n)); }

    std::string random_group() {
        using storage::Space;
        constexpr std::array kSpaces = {Space::node, Space::event, Space::dedupe, Space::log};
        return group(kSpaces[random_.below(kSpaces.size())], random_.below(2));
    }
    // Some groups are keys themselves.
    std::string random_key() {
        const auto row = random_.below(6);
        auto key = random_group();
        return row == 0 ? key : cdp::ByteWriter().raw(key).u64(1000 + row).take();
    }
    std::vector<std::string> random_keys() {
        std::vector<std::string> keys;
        for (auto n = 1 + random_.below(5); n > 0; --n) keys.push_back(random_key());
        return keys;
    }
    // Also a row of Space::dedupe must not expire meanwhile.
    std::string random_value() {
        return std::string(4, '\xff') +
               std::string(random_.below(40), static_cast<char>(random_.next()));
    }

    cdp::Random random_;
    std::unique_ptr<storage::Store> store_;
    const Reopen reopen_;

    Rows rows_;
    std::map<std::string, std::uint64_t> next_index_;
    std::vector<std::set<std::string>> touched_;  // by each commit since the store was opened
    std::vector<View> views_;
    std::vector<Open> open_;
};

}  // namespace tests
