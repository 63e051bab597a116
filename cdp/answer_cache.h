#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdp/base/time.h"
#include "cdp/disclosures.h"
#include "storage/store.h"

namespace cdp {

// Answers composed before, each with everything it was read from: an answer is given again only
// while none of that has changed and its time has not come. Bounded in bytes, least recently used
// out first. Safe to use from many threads.
class AnswerCache {
public:
    AnswerCache(const storage::Store& store, std::size_t bytes_max);
    ~AnswerCache();

    // With what it tells, so that it is listed each time it is given.
    using Answer = std::shared_ptr<const Unlisted>;

    // nullptr: read again.
    Answer find(std::string_view question, Timestamp now);

    // `changes_at`: when time alone ends it; nullopt: never.
    void keep(std::string question, Answer answer, storage::ReadSet reads,
              std::optional<Timestamp> changes_at);

private:
    struct Entry {
        std::string question;
        Answer answer;
        storage::ReadSet reads;
        std::optional<Timestamp> changes_at;
        std::size_t bytes = 0;
    };
    struct Shard {
        std::mutex mutex;  // held to look up and to change, and to ask the store whether it holds
        std::list<Entry> entries;  // most recently used first
        std::unordered_map<std::string_view, std::list<Entry>::iterator> index;
        std::size_t bytes = 0;
    };

    Shard& shard_of(std::string_view question);
    static void drop(Shard& shard, std::list<Entry>::iterator entry);

    const storage::Store& store_;
    std::size_t shard_bytes_max_;
    std::vector<Shard> shards_;
};

}  // namespace cdp
