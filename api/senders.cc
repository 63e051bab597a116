#include "api/senders.h"

#include <algorithm>
#include <utility>

namespace api {

Senders::Senders(OutgoingRules rules, std::size_t threads_max)
    : rules_(std::move(rules)), threads_max_(threads_max) {}

void Senders::give(const std::string& host, Errand errand) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        auto& known = hosts_[host];
        if (!known.silent || (!known.busy && known.waiting.empty())) {
            known.waiting.push_back(std::exchange(errand, nullptr));
            ++left_;
            if (!known.busy && known.waiting.size() == 1) ready_.push_back(host);
            if (idle_ < ready_.size() && senders_.size() < threads_max_) {
                auto& sender = *senders_.emplace_back(std::make_unique<Sender>(rules_));
                sender.thread = std::thread([this, &sender] { work(sender); });
            }
        }
    }
    given_.notify_one();
    if (errand) errand(nullptr);
}

void Senders::wait() {
    Lock lock(mutex_);
    done_.wait(lock, [this] { return left_ == 0 || stopping_; });
}

void Senders::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        ready_.clear();
        for (auto& [name, host] : hosts_) host.waiting.clear();
        for (const auto& sender : senders_) sender->outgoing.cancel();
    }
    given_.notify_all();
    done_.notify_all();
    for (const auto& sender : senders_)
        if (sender->thread.joinable()) sender->thread.join();
}

std::deque<std::string>::iterator Senders::find_ready() {
    const bool room = silent_busy_ < std::max<std::size_t>(threads_max_ / 2, 1);
    return std::ranges::find_if(
        ready_, [&](const std::string& name) { return room || !hosts_[name].silent; });
}

void Senders::work(Sender& sender) {
    Lock lock(mutex_);
    for (;;) {
        auto next = ready_.end();
        ++idle_;
        given_.wait(lock, [&] {
            next = find_ready();
            return stopping_ || next != ready_.end();
        });
        --idle_;
        if (stopping_) return;
        const auto name = *next;
        ready_.erase(next);
        auto& host = hosts_[name];
        serve(host, sender.outgoing, lock);
        if (stopping_) return;
        if (!host.waiting.empty())
            ready_.push_back(name);
        else if (!host.silent)
            hosts_.erase(name);
        if (left_ == 0) done_.notify_all();
        given_.notify_all();
    }
}

void Senders::serve(Host& host, Outgoing& outgoing, Lock& lock) {
    const auto errand = std::move(host.waiting.front());
    host.waiting.pop_front();
    host.busy = true;
    const bool was_silent = host.silent;
    if (was_silent) ++silent_busy_;
    lock.unlock();
    const bool reached = errand(&outgoing);
    lock.lock();
    if (was_silent) --silent_busy_;
    host.silent = !reached;
    std::deque<Errand> in_vain;
    if (host.silent) in_vain = std::exchange(host.waiting, {});
    lock.unlock();
    for (const auto& one : in_vain) one(nullptr);
    lock.lock();
    host.busy = false;
    left_ -= 1 + in_vain.size();
}

}  // namespace api
