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

JobQueue::JobQueue(const Size& size) : size_(size), idle_(size.threads) {
    try {
        for (std::size_t i = 0; i < size.threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {
        finish();  // those that did begin
        throw;
    }
}

bool JobQueue::has_room() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size() < idle_ + size_.waiting_max;
}

std::uint64_t JobQueue::give(Job job) {
    const std::lock_guard lock(mutex_);
    ++number_;
    if (finishing_) return number_;
    waiting_.emplace_back(number_, std::move(job));
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
        auto job = std::move(waiting_.front().second);
        waiting_.pop_front();
        --idle_;
        lock.unlock();
        run(job);
        job = nullptr;
        lock.lock();
        ++idle_;
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
