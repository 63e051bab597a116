#include "tests/storage/conformance.h"

#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "tests/support/forwarding_store.h"
#include "tests/support/seeds.h"

namespace {

using namespace tests;
using storage::CommitOutcome;
using storage::CommitState;
using storage::kPartition;
using storage::Space;
using storage::Store;
using storage::Transaction;

// Either store, by name.
struct AnyStore {
    explicit AnyStore(const std::string& engine)
        : store(engine == "memory" ? storage::make_memory_store() : new_rocks(folder)) {}

    Folder folder;
    std::unique_ptr<Store> store;
};

#define ENGINE GENERATE(as<std::string>{}, "memory", "rocks")

TEST_CASE("the memory store does what the model does") {
    const auto seed = GENERATE(seeds(300));
    CAPTURE(seed);
    CHECK(Conformance(seed, storage::make_memory_store(), nullptr).run(300) == "");
}

TEST_CASE("the RocksDB store does what the model does, also after it was closed") {
    const auto seed = GENERATE(seeds(20));
    CAPTURE(seed);
    const Folder folder;
    const auto reopen = [&](std::unique_ptr<Store> store) {
        store.reset();
        return open_rocks(folder);
    };
    CHECK(Conformance(seed, new_rocks(folder), reopen).run(600) == "");
}

// A store with one planted fault.
class FaultyStore final : public tests::ForwardingStore {
public:
    enum class Fault {
        none,
        ignores_conflicts,
        sees_too_much,
        scans_short,
        repeats_an_index,
        forgets
    };

    explicit FaultyStore(Fault fault) : fault_(fault) {}

    std::unique_ptr<storage::Snapshot> snapshot() const override {
        return std::make_unique<View>(*this);
    }
    void commit(std::vector<Transaction> transactions, storage::Committed done) override {
        const auto now = ForwardingStore::snapshot();
        if (fault_ == Fault::ignores_conflicts || fault_ == Fault::forgets)
            for (auto& transaction : transactions) transaction = rewritten(transaction, *now);
        ForwardingStore::commit(std::move(transactions), [&](std::vector<CommitOutcome> outcomes) {
            for (auto& outcome : outcomes)
                if (fault_ == Fault::repeats_an_index && outcome.appended.size() > 1)
                    outcome.appended.back() = outcome.appended.front();
            done(std::move(outcomes));
        });
    }

private:
    class View final : public tests::ForwardingSnapshot {
    public:
        explicit View(const FaultyStore& store)
            : ForwardingSnapshot(store.good_snapshot()), store_(store) {}
        cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
            return store_.fault_ == Fault::sees_too_much ? store_.good_snapshot()->get(key)
                                                         : ForwardingSnapshot::get(key);
        }
        cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                               const storage::Visit& visit) const override {
            int left = store_.fault_ == Fault::scans_short ? 3 : 1000;
            return ForwardingSnapshot::scan(prefix, from,
                                            [&](std::string_view key, std::string_view value) {
                                                return left-- > 0 && visit(key, value);
                                            });
        }

    private:
        const FaultyStore& store_;
    };

    std::unique_ptr<storage::Snapshot> good_snapshot() const { return ForwardingStore::snapshot(); }

    // The same writes and no reads; one that forgets keeps the conflict and drops the first
    // erasure.
    Transaction rewritten(const Transaction& from, const storage::Snapshot& now) const {
        const bool forgets = fault_ == Fault::forgets;
        if (forgets && !current(from.reads())) return from;
        Transaction to(now, kPartition);
        for (const auto& write : from.writes()) {
            if (write.value)
                to.put(write.key, *write.value);
            else if (!forgets)
                to.erase(write.key);
        }
        for (const auto& append : from.appends()) to.append(append.log, append.value);
        return to;
    }

    Fault fault_;
};

TEST_CASE("the model notices a store that does otherwise") {
    using enum FaultyStore::Fault;
    const auto fault =
        GENERATE(none, ignores_conflicts, sees_too_much, scans_short, repeats_an_index, forgets);
    CAPTURE(static_cast<int>(fault));
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed)
        if (Conformance(seed, std::make_unique<FaultyStore>(fault), nullptr).run(2000) != "")
            ++noticed;
    CHECK(noticed == (fault == none ? 0 : 20));
}

// Adds one to a counter, however often that takes.
void increment(Store& store, const std::string& counter) {
    for (;;) {
        const auto snapshot = store.snapshot();
        Transaction transaction(*snapshot, kPartition);
        const auto before = transaction.get(counter).value().value_or("0");
        transaction.put(counter, std::to_string(std::stoi(before) + 1));
        if (commit_and_wait(store, std::move(transaction)).state == CommitState::ok) return;
    }
}

TEST_CASE("no update is lost among eight threads") {
    AnyStore any(ENGINE);
    constexpr int kThreads = 8;
    constexpr int kEach = 50;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
        threads.emplace_back([&, i] {
            for (int n = 0; n < kEach; ++n)
                increment(*any.store, key(Space::node, static_cast<std::uint64_t>((i + n) % 3), 1));
        });
    for (auto& thread : threads) thread.join();
    int sum = 0;
    for (std::uint64_t i = 0; i < 3; ++i)
        sum += std::stoi(get(*any.store, key(Space::node, i, 1)).value());
    CHECK(sum == kThreads * kEach);
}

TEST_CASE("a snapshot sees every transaction whole while others commit") {
    AnyStore any(ENGINE);
    std::atomic<bool> stop = false;
    // Each writes one number into two families.
    std::thread writer([&] {
        for (int n = 0; !stop; ++n) {
            const auto snapshot = any.store->snapshot();
            Transaction transaction(*snapshot, kPartition);
            transaction.put(key(Space::node, 1, 1), std::to_string(n));
            transaction.put(key(Space::event, 1, 1), std::to_string(n));
            commit_and_wait(*any.store, std::move(transaction));
        }
    });
    int torn = 0;
    for (int i = 0; i < 2000; ++i) {
        const auto snapshot = any.store->snapshot();
        if (snapshot->get(key(Space::node, 1, 1)).value() !=
            snapshot->get(key(Space::event, 1, 1)).value())
            ++torn;
    }
    stop = true;
    writer.join();
    CHECK(torn == 0);
}

TEST_CASE("blind writes never conflict") {
    AnyStore any(ENGINE);
    std::atomic<int> failed = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 50; ++n)
                if (put(*any.store, key(Space::node, 1, 1), "x").state != CommitState::ok) ++failed;
        });
    for (auto& thread : threads) thread.join();
    CHECK(failed == 0);
}

TEST_CASE("an insert, an update, an erasure or an append under a scanned prefix conflicts") {
    AnyStore any(ENGINE);
    const auto log = group(Space::log, 1);
    put(*any.store, key(Space::log, 1, 500), "there");
    const auto snapshot = any.store->snapshot();
    Transaction scanned(*snapshot, kPartition);
    REQUIRE(scanned.scan(log, [](auto, auto) { return true; }));
    scanned.put(key(Space::node, 9, 1), "computed from the scan");

    Transaction other(*snapshot, kPartition);
    switch (GENERATE(0, 1, 2, 3)) {
        case 0: other.put(key(Space::log, 1, 600), "new"); break;
        case 1: other.put(key(Space::log, 1, 500), "changed"); break;
        case 2: other.erase(key(Space::log, 1, 500)); break;
        case 3: other.append(log, "appended"); break;
    }
    CHECK(any.store->current(scanned.reads()));
    REQUIRE(commit_and_wait(*any.store, std::move(other)).state == CommitState::ok);
    CHECK_FALSE(any.store->current(scanned.reads()));
    CHECK(commit_and_wait(*any.store, std::move(scanned)).state == CommitState::conflict);
    CHECK(get(*any.store, key(Space::node, 9, 1)) == std::nullopt);
}

TEST_CASE("a scanned prefix does not conflict with its neighbours") {
    AnyStore any(ENGINE);
    const auto snapshot = any.store->snapshot();
    Transaction scanned(*snapshot, kPartition);
    REQUIRE(scanned.scan(group(Space::node, 2), [](auto, auto) { return true; }));
    scanned.put(key(Space::node, 9, 1), "x");
    put(*any.store, key(Space::node, 1, 1), "before");
    put(*any.store, key(Space::node, 3, 1), "after");
    put(*any.store, key(Space::trait, 2, 1), "the same subject in another space");
    CHECK(commit_and_wait(*any.store, std::move(scanned)).state == CommitState::ok);
}

TEST_CASE("two that read and write one key conflict also within a group") {
    AnyStore any(ENGINE);
    const auto snapshot = any.store->snapshot();
    std::vector<Transaction> group;
    for (int i = 0; i < 2; ++i) {
        Transaction& transaction = group.emplace_back(*snapshot, kPartition);
        REQUIRE(transaction.get(key(Space::node, 1, 1)));
        transaction.put(key(Space::node, 1, 1), std::to_string(i));
    }
    std::promise<std::vector<CommitOutcome>> promise;
    any.store->commit(std::move(group),
                      [&](auto outcomes) { promise.set_value(std::move(outcomes)); });
    const auto outcomes = promise.get_future().get();
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].state == CommitState::ok);
    CHECK(outcomes[1].state == CommitState::conflict);
    CHECK(get(*any.store, key(Space::node, 1, 1)) == "0");
}

TEST_CASE("appends of eight threads get every index once, and lie in that order") {
    AnyStore any(ENGINE);
    const auto log = group(Space::log, 1);
    constexpr std::uint64_t kEach = 40;
    std::vector<std::vector<std::uint64_t>> given(8);
    std::vector<std::thread> threads;
    for (auto& mine : given)
        threads.emplace_back([&] {
            for (std::uint64_t n = 0; n < kEach; ++n) {
                const auto snapshot = any.store->snapshot();
                Transaction transaction(*snapshot, kPartition);
                transaction.append(log, "row");
                transaction.append(log, "row");
                const auto outcome = commit_and_wait(*any.store, std::move(transaction));
                mine.insert(mine.end(), outcome.appended.begin(), outcome.appended.end());
            }
        });
    for (auto& thread : threads) thread.join();

    std::set<std::uint64_t> all;
    for (const auto& mine : given) {
        CHECK(std::ranges::is_sorted(mine));
        all.insert(mine.begin(), mine.end());
    }
    CHECK(all.size() == 8 * kEach * 2);
    CHECK(*all.rbegin() == 8 * kEach * 2 - 1);

    std::uint64_t next = 0;
    REQUIRE(any.store->snapshot()->scan(log, {}, [&](std::string_view row, std::string_view) {
        return storage::KeyReader(row).number() == next++;
    }));
    CHECK(next == 8 * kEach * 2);
}

TEST_CASE("a scan may read, write and commit as it goes") {
    AnyStore any(ENGINE);
    for (std::uint64_t i = 0; i < 100; ++i) put(*any.store, key(Space::node, 1, i), "old");
    const auto snapshot = any.store->snapshot();
    Transaction transaction(*snapshot, kPartition);
    int seen = 0;
    REQUIRE(transaction.scan(group(Space::node, 1), [&](std::string_view row, std::string_view) {
        ++seen;
        transaction.put(std::string(row), "new");
        put(*any.store, key(Space::trait, 1, 1), std::to_string(seen));
        return snapshot->get(row).value() == "old";
    }));
    CHECK(seen == 100);
    CHECK(commit_and_wait(*any.store, std::move(transaction)).state == CommitState::ok);
    CHECK(get(*any.store, key(Space::node, 1, 99)) == "new");
}

TEST_CASE("a transaction that only read is told whether it still holds") {
    AnyStore any(ENGINE);
    const auto snapshot = any.store->snapshot();
    Transaction first(*snapshot, kPartition);
    Transaction second(*snapshot, kPartition);
    REQUIRE(first.get(key(Space::node, 1, 1)));
    REQUIRE(second.get(key(Space::node, 1, 1)));
    CHECK(first.empty());
    CHECK(commit_and_wait(*any.store, std::move(first)).state == CommitState::ok);
    put(*any.store, key(Space::node, 1, 1), "x");
    CHECK(commit_and_wait(*any.store, std::move(second)).state == CommitState::conflict);
}

TEST_CASE("committing nothing is answered") {
    AnyStore any(ENGINE);
    std::promise<std::size_t> promise;
    any.store->commit({}, [&](auto outcomes) { promise.set_value(outcomes.size()); });
    CHECK(promise.get_future().get() == 0);
}

}  // namespace
