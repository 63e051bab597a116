#include "storage/sequencer.h"

#include <algorithm>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "storage/key.h"
#include "storage/marks.h"

namespace storage {
namespace {

constexpr std::uint8_t kNextIndexFormat = 1;

// Where the next index of `log` is kept: one group of Space::meta, then the log's own prefix.
std::string next_index_key(std::string_view log) {
    constexpr std::string_view kSubject = "log: next index.";
    static_assert(kSubject.size() == 16);
    std::string key(log.substr(0, sizeof(Partition)));
    key.push_back(static_cast<char>(Space::meta));
    return key.append(kSubject).append(log);
}

cdp::Result<std::uint64_t> decode_next_index(const std::optional<std::string>& row) {
    if (!row) return std::uint64_t{0};
    cdp::ByteReader in(*row);
    const auto format = in.u8();
    const auto next = in.u64();
    if (format == kNextIndexFormat && in.done()) return next;
    return cdp::Error{.code = cdp::ErrorCode::corruption,
                      .reason = "store_damaged",
                      .message = "The store is damaged.",
                      .detail = "the next index of a log cannot be read"};
}

}  // namespace

cdp::Result<std::uint64_t> log_size(const Snapshot& snapshot, std::string_view log) {
    const auto row = CDP_TRY(snapshot.get(next_index_key(log)));
    return decode_next_index(row);
}

bool Sequencer::current(const ReadSet& reads) const {
    return std::ranges::all_of(
        reads.marks(), [&](std::uint64_t mark) { return recent_.last(mark) <= reads.version(); });
}

Store::Counts Sequencer::counts() const {
    return {groups_.load(std::memory_order_relaxed), transactions_.load(std::memory_order_relaxed),
            rows_.load(std::memory_order_relaxed), conflicts_.load(std::memory_order_relaxed)};
}

void Sequencer::count(std::span<const CommitOutcome> outcomes, const Batch& batch) {
    const auto conflicts = static_cast<std::uint64_t>(
        std::ranges::count(outcomes, CommitState::conflict, &CommitOutcome::state));
    if (!batch.rows.empty()) groups_.fetch_add(1, std::memory_order_relaxed);
    transactions_.fetch_add(outcomes.size() - conflicts, std::memory_order_relaxed);
    rows_.fetch_add(batch.rows.size(), std::memory_order_relaxed);
    conflicts_.fetch_add(conflicts, std::memory_order_relaxed);
}

std::vector<CommitOutcome> Sequencer::commit(std::span<const Transaction* const> group) {
    std::vector<CommitOutcome> outcomes(group.size());
    if (health() != Health::ok) {
        fail(outcomes, failure_);
        return outcomes;
    }

    const Version version = ++last_version_;
    Batch batch;
    for (std::size_t i = 0; i < group.size(); ++i) outcomes[i] = admit(*group[i], version, batch);
    add_next_indices(batch);

    const auto applied = batch.rows.empty() ? cdp::Result<void>::ok() : engine_.apply(batch.rows);
    // Also after a failure: what the rows' fate is has been settled, and readers of those keys
    // would find themselves out of date for ever.
    published_.store(version, std::memory_order_release);
    if (applied) count(outcomes, batch);
    if (!applied) {
        failure_ = applied.error();
        next_indices_.clear();
        health_.store(Health::read_only, std::memory_order_relaxed);
        fail(outcomes, failure_);
        recover();
    }
    return outcomes;
}

CommitOutcome Sequencer::admit(const Transaction& transaction, Version version, Batch& batch) {
    if (!current(transaction.reads())) return {.state = CommitState::conflict};
    if (const auto loaded = load_indices(transaction); !loaded)
        return {.state = CommitState::unknown, .error = loaded.error()};

    CommitOutcome outcome{.state = CommitState::ok, .version = version};
    for (const auto& write : transaction.writes()) batch.rows.push_back({write.key, write.value});
    for (const auto mark : transaction.key_marks()) recent_.record(mark, version);
    for (const auto mark : transaction.group_marks()) recent_.record(mark, version);

    for (const auto& append : transaction.appends()) {
        auto& index = next_indices_.find(append.log)->second;
        auto& key =
            batch.texts.emplace_back(cdp::ByteWriter().raw(append.log).u64(index.next).take());
        recent_.record(key_mark(key), version);
        batch.rows.push_back({key, append.value});
        outcome.appended.push_back(index.next++);
        index.changed = true;
    }
    return outcome;
}

cdp::Result<void> Sequencer::load_indices(const Transaction& transaction) {
    for (const auto& append : transaction.appends()) {
        if (next_indices_.contains(append.log)) continue;
        const auto row = CDP_TRY(engine_.latest(next_index_key(append.log)));
        next_indices_[append.log] = {.next = CDP_TRY(decode_next_index(row))};
    }
    return cdp::Result<void>::ok();
}

void Sequencer::add_next_indices(Batch& batch) {
    for (auto& [log, index] : next_indices_) {
        if (!index.changed) continue;
        index.changed = false;
        const auto& key = batch.texts.emplace_back(next_index_key(log));
        const auto& value =
            batch.texts.emplace_back(cdp::ByteWriter().u8(kNextIndexFormat).u64(index.next).take());
        batch.rows.push_back({key, value});
    }
}

// A conflict stands: nothing of that transaction was tried.
void Sequencer::fail(std::span<CommitOutcome> outcomes, const cdp::Error& error) {
    for (CommitOutcome& outcome : outcomes) {
        if (outcome.state == CommitState::conflict) continue;
        outcome = {.state = CommitState::unknown, .error = error};
    }
}

void Sequencer::recover() {
    if (health() == Health::read_only) health_.store(engine_.recover(), std::memory_order_relaxed);
}

}  // namespace storage
