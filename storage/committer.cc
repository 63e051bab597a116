#include "storage/committer.h"

#include <utility>

#include "cdp/base/assert.h"
#include "cdp/base/crash_point.h"

namespace storage {
namespace {

std::int64_t now() {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::milliseconds{1};
}

}  // namespace

Committer::Committer(Sequencer& sequencer, Options options)
    : sequencer_(sequencer), options_(options), thread_([this] { run(); }) {}

Committer::~Committer() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void Committer::commit(std::vector<Transaction> transactions, Committed done) {
    auto request = std::make_unique<Request>(Request{std::move(transactions), std::move(done)});
    waiting_ += request->transactions.size();
    {
        const std::lock_guard lock(mutex_);
        CDP_ASSERT(!stopping_);
        queue_.push_back(std::move(request));
    }
    wake_.notify_one();
}

bool Committer::stalled() const {
    const auto since = writing_since_.load(std::memory_order_relaxed);
    return since != 0 && now() - since >= options_.stall.count();
}

void Committer::run() {
    for (;;) {
        Group group = take();
        sequencer_.recover();
        if (group.requests.empty() && group.complete.empty()) {
            const std::lock_guard lock(mutex_);
            if (stopping_ && queue_.empty()) return;
            continue;
        }
        write(std::move(group));
    }
}

Committer::Group Committer::take() {
    Group group;
    std::size_t bytes = 0;

    std::unique_lock lock(mutex_);
    const auto ready = [&] { return stopping_ || !queue_.empty(); };
    if (sequencer_.health() == Health::read_only)
        wake_.wait_for(lock, options_.ask_again, ready);
    else
        wake_.wait(lock, ready);

    while (!queue_.empty()) {
        Request& request = *queue_.front();
        while (request.taken < request.transactions.size()) {
            const bool full =
                group.transactions.size() >= options_.transactions || bytes >= options_.bytes;
            if (full) return group;
            const Transaction& next = request.transactions[request.taken++];
            group.transactions.push_back(&next);
            group.requests.push_back(&request);
            bytes += next.bytes();
        }
        group.complete.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return group;
}

void Committer::write(Group group) {
    cdp::crash_point("before_commit");
    writing_since_ = now();
    auto outcomes = sequencer_.commit(group.transactions);
    writing_since_ = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        group.requests[i]->outcomes.push_back(std::move(outcomes[i]));
    waiting_ -= outcomes.size();
    cdp::crash_point("before_answers");
    for (const auto& request : group.complete) request->done(std::move(request->outcomes));
}

}  // namespace storage
