#include "cdp/listing.h"

#include <algorithm>
#include <utility>

#include "cdp/base/assert.h"

namespace cdp {
namespace {

thread_local Listing::Scope* standing = nullptr;

}  // namespace

Listing::Scope::Scope() {
    CDP_ASSERT(!standing);
    standing = this;
}

Listing::Scope::~Scope() {
    standing = nullptr;
}

Listing* Listing::Scope::gathering() {
    if (!standing) return nullptr;
    if (!standing->listing_) standing->listing_ = std::make_shared<Listing>();
    return standing->listing_.get();
}

bool Listing::withdraw() {
    auto expected = State::waiting;
    return state_.compare_exchange_strong(expected, State::withdrawn) ||
           expected == State::withdrawn;
}

bool Listing::settle() {
    auto expected = State::waiting;
    return state_.compare_exchange_strong(expected, State::settled);
}

void Listing::refuse(const std::vector<std::shared_ptr<Listing>>& listings, const Error& error) {
    for (const auto& listing : listings) {
        listing->refusal_ = error;
        (void)listing->settle();
    }
}

Scribe::Scribe(Write write) : write_(std::move(write)), thread_([this] { run(); }) {}

Scribe::~Scribe() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

// While the disk stands still, what was withdrawn leaves from the front, or clients that try again
// would fill the memory.
void Scribe::hand_over(Listings listings, std::function<void()> done) {
    std::vector<Group> left;
    {
        const std::lock_guard lock(mutex_);
        CDP_ASSERT(!closing_);
        while (!waiting_.empty() &&
               std::ranges::all_of(waiting_.front().listings, &Listing::is_withdrawn,
                                   &std::shared_ptr<Listing>::operator*)) {
            left.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
        }
        waiting_.push_back({std::move(listings), std::move(done)});
    }
    changed_.notify_one();
    for (const auto& group : left) group.done();
}

void Scribe::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        const auto groups = std::exchange(waiting_, {});
        lock.unlock();
        Listings all;
        for (const auto& group : groups)
            all.insert(all.end(), group.listings.begin(), group.listings.end());
        write_(std::move(all));
        for (const auto& group : groups) group.done();
        lock.lock();
    }
}

}  // namespace cdp
