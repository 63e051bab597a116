#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "api/loop.h"
#include "api/message.h"

namespace api {

// What a connection waits for and somebody else brings. Touched on the loop's thread only, except
// by its Debt.
class Pending : public std::enable_shared_from_this<Pending> {
public:
    explicit Pending(Loop& loop) : loop_(loop) {}
    Pending(const Pending&) = delete;
    Pending& operator=(const Pending&) = delete;

    // Goes on with `response` unless one has come already; what comes later is dropped.
    void settle(Response response) {
        if (response_) return;
        response_ = std::move(response);
        if (auto resume = std::exchange(resume_, nullptr)) resume();
    }
    bool settled() const { return response_.has_value(); }
    Response take() { return std::move(*response_); }
    void on_settled(std::function<void()> resume) { resume_ = std::move(resume); }

private:
    friend class Debt;

    Loop& loop_;
    std::optional<Response> response_;
    std::function<void()> resume_;
};

// The promise to bring something to a loop, which does not stop while one is open. Made on the
// loop's thread, paid once on any; dying unpaid it brings `forgotten`, so that no connection waits
// for ever.
class Debt {
public:
    Debt(std::shared_ptr<Pending> pending, Response (*forgotten)())
        : pending_(std::move(pending)), forgotten_(forgotten) {
        ++pending_->loop_.unanswered;
    }
    Debt(const Debt&) = delete;
    Debt& operator=(const Debt&) = delete;
    ~Debt() {
        if (pending_) pay(forgotten_());
    }

    void pay(Response response) {
        auto pending = std::exchange(pending_, nullptr);
        if (!pending) return;
        auto& loop = pending->loop_;
        if (loop.is_this_thread() && !pending->resume_) {
            --loop.unanswered;
            pending->settle(std::move(response));
            return;
        }
        auto arrive = [pending = std::move(pending), response = std::move(response)]() mutable {
            --pending->loop_.unanswered;
            pending->settle(std::move(response));
        };
        asio::post(loop.context, std::move(arrive));
    }

private:
    std::shared_ptr<Pending> pending_;
    Response (*forgotten_)();
};

}  // namespace api
