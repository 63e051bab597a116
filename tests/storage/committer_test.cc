#include "storage/committer.h"

#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>

#include <catch2/catch.hpp>

#include "tests/storage/stores.h"

namespace {

using namespace tests;
using storage::CommitOutcome;
using storage::CommitState;
using storage::Health;
using storage::kPartition;
using storage::Space;
using storage::Transaction;

// A disk whose every move the test decides.
class FakeEngine final : public storage::Engine {
public:
    cdp::Result<void> apply(std::span<const storage::Row> written) override {
        std::unique_lock lock(mutex_);
        ++applied;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !held_; });
        if (failing) return *failing;
        for (const auto& row : written) {
            if (row.value)
                rows[std::string(row.key)] = *row.value;
            else
                rows.erase(std::string(row.key));
        }
        return cdp::Result<void>::ok();
    }
    cdp::Result<std::optional<std::string>> latest(std::string_view key) override {
        const auto row = rows.find(std::string(key));
        return row == rows.end() ? std::nullopt : std::optional(row->second);
    }
    Health recover() override { return health; }

    // The next apply waits until it is let go.
    void hold() { held_ = true; }
    void wait_for_apply() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return applied > 0; });
    }
    void let_go() {
        const std::lock_guard lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }

    int applied = 0;
    std::optional<cdp::Error> failing;
    Health health = Health::ok;  // what recover() finds
    std::map<std::string, std::string> rows;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
};

const auto nothing = storage::make_memory_store();
const auto empty = nothing->snapshot();

Transaction write(std::uint64_t row) {
    Transaction transaction(*empty, kPartition);
    transaction.put(key(Space::node, 1, row), "x");
    return transaction;
}

Transaction append(const char* value) {
    Transaction transaction(*empty, kPartition);
    transaction.append(group(Space::log, 1), value);
    return transaction;
}

std::vector<Transaction> many(std::size_t n) {
    std::vector<Transaction> transactions;
    for (std::size_t i = 0; i < n; ++i) transactions.push_back(write(i));
    return transactions;
}

// The outcome of one transaction, without a thread.
CommitOutcome commit(storage::Sequencer& sequencer, const Transaction& transaction) {
    const Transaction* const one = &transaction;
    return sequencer.commit({&one, 1}).front();
}

TEST_CASE("what waits while the disk is busy shares one fsync") {
    struct Case {
        std::size_t cap;
        int fsyncs;
    };
    const auto [cap, fsyncs] = GENERATE(values<Case>({{500, 2}, {100, 2}, {50, 3}, {30, 5}}));
    CAPTURE(cap);
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    std::atomic<int> answered = 0;
    {
        storage::Committer committer(sequencer, {.transactions = cap});
        const auto done = [&](auto) { ++answered; };
        engine.hold();
        committer.commit(many(1), done);
        engine.wait_for_apply();
        for (int i = 0; i < 100; ++i) committer.commit(many(1), done);
        CHECK(committer.waiting() == 101);
        CHECK(answered == 0);
        engine.let_go();
    }
    CHECK(answered == 101);
    CHECK(engine.applied == fsyncs);
}

TEST_CASE("a disk that stands still is known as such while it does") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    storage::Committer committer(sequencer, {.stall = std::chrono::milliseconds{20}});
    CHECK_FALSE(committer.stalled());
    engine.hold();
    std::promise<void> answered;
    committer.commit(many(1), [&](auto) { answered.set_value(); });
    engine.wait_for_apply();
    while (!committer.stalled()) std::this_thread::yield();
    engine.let_go();
    answered.get_future().wait();
    CHECK_FALSE(committer.stalled());
}

TEST_CASE("a group is bounded in bytes") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    {
        storage::Committer committer(sequencer, {.transactions = 500, .bytes = 1});
        committer.commit(many(7), [](auto) {});
    }
    CHECK(engine.applied == 7);
}

TEST_CASE("a request larger than a group is answered once, in order") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    std::vector<std::uint64_t> indices;
    int answers = 0;
    {
        storage::Committer committer(sequencer, {.transactions = 3});
        std::vector<Transaction> transactions;
        for (int i = 0; i < 10; ++i) transactions.push_back(append("x"));
        committer.commit(std::move(transactions), [&](std::vector<CommitOutcome> outcomes) {
            ++answers;
            for (const auto& outcome : outcomes) indices.push_back(outcome.appended.at(0));
        });
    }
    CHECK(answers == 1);
    CHECK(indices == std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(engine.applied == 4);
}

TEST_CASE("a failed disk makes the whole group unknown, with the reason") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    engine.failing = cdp::Error{.code = cdp::ErrorCode::storage_full, .reason = "disk_full"};
    engine.health = Health::read_only;
    const auto one = write(1);
    const auto two = write(2);
    const std::array group = {&one, &two};
    for (const auto& outcome : sequencer.commit(group)) {
        CHECK(outcome.state == CommitState::unknown);
        CHECK(outcome.error.reason == "disk_full");
    }
    CHECK(sequencer.health() == Health::read_only);

    SECTION("and while it fails nothing is tried") {
        const auto outcome = commit(sequencer, one);
        CHECK(outcome.state == CommitState::unknown);
        CHECK(outcome.error.reason == "disk_full");
        CHECK(engine.applied == 1);
    }
    SECTION("until it works again") {
        engine.failing.reset();
        engine.health = Health::ok;
        sequencer.recover();
        CHECK(sequencer.health() == Health::ok);
        CHECK(commit(sequencer, one).state == CommitState::ok);
    }
    SECTION("or for good") {
        engine.health = Health::failed;
        sequencer.recover();
        engine.health = Health::ok;
        sequencer.recover();
        CHECK(sequencer.health() == Health::failed);
    }
}

TEST_CASE("a disk that works again is noticed without a commit") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    storage::Committer committer(sequencer, {.ask_again = std::chrono::milliseconds(1)});
    engine.failing = cdp::Error{};
    engine.health = Health::read_only;
    std::promise<void> answered;
    committer.commit(many(1), [&](auto) {
        engine.health = Health::ok;  // on the committer's thread, like recover()
        answered.set_value();
    });
    answered.get_future().wait();
    while (sequencer.health() != Health::ok) std::this_thread::yield();
    SUCCEED();
}

TEST_CASE("what was read before a failed commit is out of date, what is read after it is not") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    storage::ReadSet before(sequencer.published());
    before.add_key(key(Space::node, 1, 1));
    engine.failing = cdp::Error{};
    CHECK(commit(sequencer, write(1)).state == CommitState::unknown);
    storage::ReadSet after(sequencer.published());
    after.add_key(key(Space::node, 1, 1));
    CHECK_FALSE(sequencer.current(before));
    CHECK(sequencer.current(after));
}

TEST_CASE("after a failed commit the next index is read from the disk again") {
    const bool landed = GENERATE(false, true);
    CAPTURE(landed);
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    CHECK(commit(sequencer, append("first")).appended == std::vector<std::uint64_t>{0});
    const auto before = engine.rows;
    CHECK(commit(sequencer, append("second")).appended == std::vector<std::uint64_t>{1});
    if (!landed) engine.rows = before;

    engine.failing = cdp::Error{};
    CHECK(commit(sequencer, append("third")).appended.empty());
    engine.failing.reset();
    CHECK(commit(sequencer, append("again")).appended ==
          std::vector<std::uint64_t>{landed ? 2u : 1u});
}

TEST_CASE("a next index that cannot be read fails the append and nothing else") {
    FakeEngine engine;
    storage::Sequencer sequencer(engine);
    commit(sequencer, append("first"));
    for (auto& [row, value] : engine.rows)
        if (row[2] == static_cast<char>(Space::meta)) value = "rubbish";
    storage::Sequencer restarted(engine);
    const auto outcome = commit(restarted, append("second"));
    CHECK(outcome.state == CommitState::unknown);
    CHECK(outcome.error.reason == "store_damaged");
    CHECK(commit(restarted, write(1)).state == CommitState::ok);
}

}  // namespace
