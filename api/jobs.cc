#include "api/jobs.h"

#include <algorithm>

#include "api/routes.h"
#include "cdp/base/assert.h"
#include "cdp/base/log.h"

namespace api {
namespace {

void run(const JobQueue::Job& job) {
    try {
        job();
    } catch (const std::exception& e) {
        cdp::log::write(cdp::log::Level::error, "job_failed",
                        {{"detail", cdp::log::safe(e.what())}});
    }
}

}  // namespace

JobQueue::JobQueue(const Size& size) : size_(size) {
    try {
        for (std::size_t i = 0; i < size.threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
        finish();  // those that did begin
        throw;
    }
}

std::optional<std::uint64_t> JobQueue::give(Job job) {
    const std::lock_guard lock(mutex_);
    const auto idle = size_.threads - under_way_.size();
    if (finishing_ || waiting_.size() >= idle + size_.waiting_max) return std::nullopt;
    waiting_.emplace_back(++number_, std::move(job));
    given_.notify_one();
    return number_;
}

JobQueue::Job JobQueue::withdraw(std::uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto place = std::ranges::find(waiting_, number, &Waiting::first);
    if (place == waiting_.end()) return nullptr;
    auto job = std::move(place->second);
    waiting_.erase(place);
    return job;
}

std::optional<JobQueue::Moment> JobQueue::begun(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(under_way_, number, &UnderWay::first);
    return found == under_way_.end() ? std::nullopt : std::optional(found->second);
}

void JobQueue::finish() {
    {
        const std::lock_guard lock(mutex_);
        finishing_ = true;
        given_.notify_all();
    }
    for (auto& thread : threads_)
        if (thread.joinable()) thread.join();
}

void JobQueue::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        given_.wait(lock, [this] { return finishing_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        auto [number, job] = std::move(waiting_.front());
        waiting_.pop_front();
        under_way_.emplace_back(number, std::chrono::steady_clock::now());
        lock.unlock();
        run(job);
        job = nullptr;
        lock.lock();
        std::erase_if(under_way_, [&](const UnderWay& one) { return one.first == number; });
    }
}

JobQueue& Jobs::queue_of(Work work) {
    switch (work) {
        case Work::at_once: break;
        case Work::brief: return brief_;
        case Work::lengthy: return lengthy_;
        case Work::streamed: return streamed_;
        case Work::brief_open: return brief_open_;
        case Work::streamed_open: return streamed_open_;
    }
    // A route that gives work away says of what kind it is.
    CDP_ASSERT(work != Work::at_once);
    return brief_;
}

JobPlace Jobs::give(Work work, JobQueue::Job job) {
    auto& queue = queue_of(work);
    return {.queue = &queue, .number = queue.give(std::move(job))};
}

void Jobs::finish() {
    for (auto* queue : {&brief_, &lengthy_, &streamed_, &brief_open_, &streamed_open_})
        queue->finish();
}

void Services::aside(const Request& request, std::function<void()> work) const {
    const auto place = jobs->give(request.route->handler.work(), std::move(work));
    if (request.job) *request.job = place;
}

}  // namespace api
