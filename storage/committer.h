#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/sequencer.h"
#include "storage/store.h"

namespace storage {

// The thread in front of a Sequencer: takes whatever waits as one group, so that the transactions
// of many callers share one fsync. While the disk fails it asks once a second whether it works
// again; while all is well and nobody commits it sleeps.
class Committer {
public:
    struct Options {
        // The largest group: bounds how long the last one in it waits.
        std::size_t transactions = 500;
        std::size_t bytes = std::size_t{8} << 20;
        std::chrono::milliseconds ask_again{1000};  // whether a failed disk works again
        std::chrono::milliseconds stall{5000};      // no group takes so long on a disk that works
    };

    Committer(Sequencer& sequencer, Options options);
    // Answers everything that waits first.
    ~Committer();
    Committer(const Committer&) = delete;
    Committer& operator=(const Committer&) = delete;

    // See Store::commit.
    void commit(std::vector<Transaction> transactions, Committed done);

    std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
    // A group has been with the disk for longer than that: the disk stands still.
    bool stalled() const;

private:
    struct Request {
        std::vector<Transaction> transactions;
        Committed done;
        std::size_t taken = 0;  // into a group
        std::vector<CommitOutcome> outcomes = {};
    };

    struct Group {
        std::vector<const Transaction*> transactions;
        std::vector<Request*> requests;                  // whose each transaction is
        std::vector<std::unique_ptr<Request>> complete;  // answered when this group is written
    };

    void run();
    // Waits for work; an empty group when it is time to stop or to look after the disk.
    Group take();
    void write(Group group);

    Sequencer& sequencer_;
    const Options options_;

    std::mutex mutex_;  // the queue and its end
    std::condition_variable wake_;
    // Only the first can be taken in part.
    std::deque<std::unique_ptr<Request>> queue_;
    bool stopping_ = false;

    std::atomic<std::size_t> waiting_ = 0;
    std::atomic<std::int64_t> writing_since_ = 0;  // milliseconds of the steady clock; 0: nothing
    std::thread thread_;                           // last: it uses all of the above
};

}  // namespace storage
