#include "storage/store.h"

#include <algorithm>
#include <future>

#include "cdp/base/assert.h"
#include "storage/key.h"
#include "storage/marks.h"

namespace storage {
namespace {

bool belongs_to(Partition partition, std::string_view key) {
    return key.size() >= kGroupBytes && key[0] == static_cast<char>(partition >> 8) &&
           key[1] == static_cast<char>(partition & 0xff);
}

}  // namespace

void ReadSet::add_key(std::string_view key) {
    marks_.push_back(key_mark(key));
}

void ReadSet::add_prefix(std::string_view prefix) {
    marks_.push_back(group_mark(prefix));
}

Transaction::Transaction(const Snapshot& snapshot, Partition partition)
    : snapshot_(&snapshot), partition_(partition), reads_(snapshot.version()) {}

const Transaction::Write* Transaction::own(std::string_view key) const {
    if (!by_key_.empty()) {
        const auto at = by_key_.find(key);
        return at == by_key_.end() ? nullptr : &writes_[at->second];
    }
    const auto mark = key_mark(key);
    for (std::size_t i = 0; i < key_marks_.size(); ++i)
        if (key_marks_[i] == mark && writes_[i].key == key) return &writes_[i];
    return nullptr;
}

cdp::Result<std::optional<std::string>> Transaction::get(std::string_view key) {
    CDP_ASSERT(belongs_to(partition_, key));
    if (const Write* write = own(key)) return write->value;
    reads_.add_key(key);
    return snapshot_->get(key);
}

cdp::Result<std::vector<std::optional<std::string>>> Transaction::multi_get(
    std::span<const std::string> keys) {
    for (const std::string& key : keys) {
        CDP_ASSERT(belongs_to(partition_, key));
        if (!own(key)) reads_.add_key(key);
    }
    auto values = CDP_TRY(snapshot_->multi_get(keys));
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (const Write* write = own(keys[i])) values[i] = write->value;
    return values;
}

cdp::Result<void> Transaction::scan(std::string_view prefix, const Visit& visit) {
    CDP_ASSERT(belongs_to(partition_, prefix));
    reads_.add_prefix(prefix);

    const auto writes = own_under(prefix);  // a copy, because a visit may write
    auto next = writes.begin();
    bool stopped = false;
    const auto visit_own = [&] {
        const Write& write = *next++;
        if (write.value && !visit(write.key, *write.value)) stopped = true;
    };
    CDP_CHECK(snapshot_->scan(prefix, {}, [&](std::string_view key, std::string_view value) {
        while (!stopped && next != writes.end() && next->key < key) visit_own();
        if (stopped) return false;
        if (next != writes.end() && next->key == key)
            visit_own();
        else if (!visit(key, value))
            stopped = true;
        return !stopped;
    }));
    while (!stopped && next != writes.end()) visit_own();
    return cdp::Result<void>::ok();
}

std::vector<Transaction::Write> Transaction::own_under(std::string_view prefix) const {
    std::vector<Write> found;
    if (!by_key_.empty()) {
        for (auto at = by_key_.lower_bound(prefix);
             at != by_key_.end() && at->first.starts_with(prefix); ++at)
            found.push_back(writes_[at->second]);
        return found;
    }
    for (const Write& write : writes_)
        if (std::string_view(write.key).starts_with(prefix)) found.push_back(write);
    std::ranges::sort(found, {}, &Write::key);
    return found;
}

void Transaction::put(std::string key, std::string value) {
    CDP_ASSERT(value.size() <= kValueBytesMax);
    write(std::move(key), std::move(value));
}

void Transaction::erase(std::string key) {
    write(std::move(key), std::nullopt);
}

void Transaction::write(std::string key, std::optional<std::string> value) {
    CDP_ASSERT(belongs_to(partition_, key) && key.size() <= kKeyBytesMax);
    bytes_ += key.size() + (value ? value->size() : 0);
    if (const Write* earlier = own(key)) {
        writes_[static_cast<std::size_t>(earlier - writes_.data())].value = std::move(value);
        return;
    }
    key_marks_.push_back(key_mark(key));
    add_group_mark(key);
    writes_.push_back({std::move(key), std::move(value)});
    index_from(writes_.size() - 1);
}

// Most transactions have tens of rows, and comparing their hashes one by one beats a map.
void Transaction::index_from(std::size_t first) {
    constexpr std::size_t kUnindexedMax = 64;
    if (writes_.size() <= kUnindexedMax) return;
    if (by_key_.empty()) first = 0;
    for (std::size_t i = first; i < writes_.size(); ++i) by_key_.emplace(writes_[i].key, i);
}

void Transaction::append(std::string log, std::string value) {
    CDP_ASSERT(belongs_to(partition_, log) && log.size() + sizeof(std::uint64_t) <= kKeyBytesMax);
    CDP_ASSERT(value.size() <= kValueBytesMax);
    bytes_ += log.size() + value.size();
    add_group_mark(log);
    appends_.push_back({std::move(log), std::move(value)});
}

// One that stands twice costs the committer a look, and searching all of very many costs more.
void Transaction::add_group_mark(std::string_view key) {
    constexpr std::size_t kSearchedMax = 64;
    const auto mark = group_mark(key);
    const auto lately = std::span(group_marks_).last(std::min(group_marks_.size(), kSearchedMax));
    if (std::ranges::find(lately, mark) == lately.end()) group_marks_.push_back(mark);
}

CommitOutcome commit_and_wait(Store& store, Transaction transaction) {
    std::vector<Transaction> transactions;
    transactions.push_back(std::move(transaction));
    // Shared: the committer may still be inside set_value when this thread has its answer.
    const auto promise = std::make_shared<std::promise<CommitOutcome>>();
    auto outcome = promise->get_future();
    store.commit(std::move(transactions), [promise](std::vector<CommitOutcome> outcomes) {
        promise->set_value(std::move(outcomes.front()));
    });
    return outcome.get();
}

}  // namespace storage
