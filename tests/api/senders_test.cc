#include "api/senders.h"

#include <poll.h>

#include <atomic>
#include <catch2/catch.hpp>

#include "tests/api/listener.h"

namespace {

using namespace std::chrono_literals;
using api::Outgoing;
using api::Senders;

// Lets through whoever waits at it, when it is opened.
class Gate {
public:
    void open() {
        {
            const std::lock_guard lock(mutex_);
            open_ = true;
        }
        changed_.notify_all();
    }
    void pass() {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_for(int waiting) const {
        for (int tries = 0; waiting_ < waiting; ++tries) {
            REQUIRE(tries < 2000);
            ::poll(nullptr, 0, 5);
        }
    }
    int waiting() const { return waiting_; }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<int> waiting_ = 0;
    bool open_ = false;
};

TEST_CASE("hosts are sent to at once, and each in turn") {
    std::mutex mutex;
    std::vector<std::string> done;
    Gate gate;
    Senders senders({});
    const auto give = [&](const std::string& host, const std::string& name, bool waits) {
        senders.give(host, [&, name, waits](Outgoing* outgoing) {
            if (waits) gate.pass();
            const std::lock_guard lock(mutex);
            done.push_back(name);
            return outgoing != nullptr;
        });
    };
    give("a", "a1", true);
    give("a", "a2", false);
    give("b", "b1", false);
    gate.wait_for(1);
    for (int tries = 0;; ++tries) {
        REQUIRE(tries < 2000);
        const std::lock_guard lock(mutex);
        if (!done.empty()) break;
        ::poll(nullptr, 0, 1);
    }
    gate.open();
    senders.wait();
    CHECK(done == std::vector<std::string>{"b1", "a1", "a2"});
}

TEST_CASE("no more hosts than there are threads are sent to at once") {
    Gate gate;
    Senders senders({}, 3);
    for (int i = 0; i < 10; ++i)
        senders.give(std::to_string(i), [&](Outgoing*) {
            gate.pass();
            return true;
        });
    gate.wait_for(3);
    ::poll(nullptr, 0, 50);
    CHECK(gate.waiting() == 3);
    gate.open();
    senders.wait();
    CHECK(gate.waiting() == 10);
}

TEST_CASE("what waits for a host that is not reached is not tried") {
    std::atomic<int> tried = 0;
    std::atomic<int> in_vain = 0;
    Gate gate;
    Senders senders({});
    const auto give = [&](bool reached) {
        senders.give("a", [&, reached](Outgoing* outgoing) {
            ++(outgoing ? tried : in_vain);
            if (outgoing) gate.pass();
            return reached;
        });
    };
    give(false);
    gate.wait_for(1);
    give(true);
    give(true);
    gate.open();
    senders.wait();
    CHECK(tried == 1);
    CHECK(in_vain == 2);
    // Whoever comes next finds out.
    give(true);
    senders.wait();
    CHECK(tried == 2);
    give(true);
    senders.wait();
    CHECK(tried == 3);
}

TEST_CASE("hosts that are not to be reached leave threads to the others") {
    Senders senders({}, 4);
    const auto host = [](int i) { return "down" + std::to_string(i); };
    for (int i = 0; i < 8; ++i) senders.give(host(i), [](Outgoing*) { return false; });
    senders.wait();
    Gate gate;
    for (int i = 0; i < 8; ++i)
        senders.give(host(i), [&](Outgoing*) {
            gate.pass();
            return false;
        });
    gate.wait_for(2);
    std::atomic<bool> told = false;
    senders.give("up", [&](Outgoing*) { return told = true; });
    for (int tries = 0; !told; ++tries) {
        REQUIRE(tries < 2000);
        ::poll(nullptr, 0, 5);
    }
    CHECK(gate.waiting() == 2);
    gate.open();
    senders.wait();
    CHECK(gate.waiting() == 8);
}

TEST_CASE("a stop closes connections and drops what waits") {
    const tests::Listener hanging(tests::Listener::Speaks::plain, "");
    auto rules = tests::trusting_rules();
    rules.patience = 60s;
    Senders senders(rules);
    std::string outcome;
    bool dropped = true;
    senders.give("localhost", [&](Outgoing* outgoing) {
        const auto answer = outgoing->send({.url = hanging.url()});
        outcome = answer ? "answered" : answer.error().reason;
        return false;
    });
    senders.give("localhost", [&](Outgoing* outgoing) { return dropped = outgoing == nullptr; });
    for (int tries = 0; hanging.served() == 0; ++tries) {
        REQUIRE(tries < 2000);
        ::poll(nullptr, 0, 5);
    }
    const auto begun = std::chrono::steady_clock::now();
    senders.stop();
    CHECK(std::chrono::steady_clock::now() - begun < 1s);
    CHECK(outcome == "cancelled");
    CHECK(dropped);
    senders.give("localhost", [&](Outgoing*) { return dropped = false; });
    CHECK(dropped);
}

}  // namespace
