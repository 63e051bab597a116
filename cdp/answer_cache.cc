#include "cdp/answer_cache.h"

#include <functional>
#include <utility>

namespace cdp {
namespace {

constexpr std::size_t kShards = 16;
constexpr std::size_t kEntryOverhead = 256;  // nodes, keys and counters of one entry, about

}  // namespace

AnswerCache::AnswerCache(const storage::Store& store, std::size_t bytes_max)
    : store_(store), shard_bytes_max_(bytes_max / kShards), shards_(kShards) {}

AnswerCache::~AnswerCache() = default;

AnswerCache::Shard& AnswerCache::shard_of(std::string_view question) {
    return shards_[std::hash<std::string_view>{}(question) % kShards];
}

AnswerCache::Answer AnswerCache::find(std::string_view question, Timestamp now) {
    Shard& shard = shard_of(question);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.index.find(question);
    if (at == shard.index.end()) return nullptr;
    const Entry& entry = *at->second;
    const bool holds =
        store_.current(entry.reads) && (!entry.changes_at || now < *entry.changes_at);
    if (!holds) {
        drop(shard, at->second);
        return nullptr;
    }
    shard.entries.splice(shard.entries.begin(), shard.entries, at->second);
    return entry.answer;
}

void AnswerCache::keep(std::string question, Answer answer, storage::ReadSet reads,
                       std::optional<Timestamp> changes_at) {
    const auto bytes =
        question.size() + answer->bytes() + reads.marks().size_bytes() + kEntryOverhead;
    if (bytes > shard_bytes_max_) return;
    Shard& shard = shard_of(question);
    const std::lock_guard lock(shard.mutex);
    if (const auto at = shard.index.find(question); at != shard.index.end())
        drop(shard, at->second);
    while (shard.bytes + bytes > shard_bytes_max_) drop(shard, std::prev(shard.entries.end()));
    shard.entries.push_front(
        {std::move(question), std::move(answer), std::move(reads), changes_at, bytes});
    shard.index.emplace(shard.entries.front().question, shard.entries.begin());
    shard.bytes += bytes;
}

void AnswerCache::drop(Shard& shard, std::list<Entry>::iterator entry) {
    shard.bytes -= entry->bytes;
    shard.index.erase(entry->question);
    shard.entries.erase(entry);
}

}  // namespace cdp
