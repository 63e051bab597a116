#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace api {

// Where the work of a route is done.
enum class Work : std::uint8_t {
    at_once,   // on the thread that serves the network, or by the committer
    brief,     // waits for the disk, for as much as one person or one page takes
    lengthy,   // takes as long as there is much to read
    streamed,  // alike, and no faster than its reader takes it
    // The same for those who need no key, who so keep nobody with a key waiting.
    brief_open,
    streamed_open,
};

// Threads that do what they are given, in its order. Safe from many threads.
class JobQueue {
public:
    using Job = std::function<void()>;
    using Moment = std::chrono::steady_clock::time_point;
    struct Size {
        std::size_t threads = 1;
        std::size_t waiting_max = 0;
    };

    explicit JobQueue(const Size& size);
    ~JobQueue() { finish(); }
    JobQueue(const JobQueue&) = delete;
    JobQueue& operator=(const JobQueue&) = delete;

    // Its number; nullopt: all threads are at work and as many wait as may, or it is too late, and
    // it was dropped. What it throws is logged, and ends with it; dying, it answers what it owes.
    std::optional<std::uint64_t> give(Job job);

    // A job that has not begun and now never will; empty when it has.
    Job withdraw(std::uint64_t number);
    // Since when it is under way; nullopt: it waits, or is done.
    std::optional<Moment> begun(std::uint64_t number) const;

    // Once all is done that was given.
    void finish();

private:
    using Waiting = std::pair<std::uint64_t, Job>;
    using UnderWay = std::pair<std::uint64_t, Moment>;

    void work();

    const Size size_;
    mutable std::mutex mutex_;  // guards what follows, but for threads_
    std::condition_variable given_;
    std::deque<Waiting> waiting_;
    std::vector<UnderWay> under_way_;  // one a thread at most
    std::uint64_t number_ = 0;
    bool finishing_ = false;
    std::vector<std::thread> threads_;
};

// Where a job waits or waited.
struct JobPlace {
    JobQueue* queue = nullptr;            // none: there is no job
    std::optional<std::uint64_t> number;  // none in a queue: it had no room

    bool refused() const { return queue && !number; }
    // See JobQueue.
    JobQueue::Job withdraw() const { return number ? queue->withdraw(*number) : nullptr; }
    std::optional<JobQueue::Moment> begun() const {
        return number ? queue->begun(*number) : std::nullopt;
    }
};

// One queue for each kind of work, so that what is long, and readers that are slow, keep nobody
// waiting but their like.
class Jobs {
public:
    JobPlace give(Work work, JobQueue::Job job);
    void finish();

private:
    JobQueue& queue_of(Work work);

    JobQueue brief_{{.threads = 4, .waiting_max = 256}};
    JobQueue lengthy_{{.threads = 4, .waiting_max = 16}};
    // They wait for readers, not for processors.
    JobQueue streamed_{{.threads = 8, .waiting_max = 16}};
    JobQueue brief_open_{{.threads = 2, .waiting_max = 64}};
    JobQueue streamed_open_{{.threads = 8, .waiting_max = 16}};
};

}  // namespace api
