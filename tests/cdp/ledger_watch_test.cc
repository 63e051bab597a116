#include "cdp/ledger_watch.h"

#include <atomic>
#include <future>
#include <thread>

#include "storage/key.h"
#include "tests/cdp/world.h"
#include "tests/support/said.h"

using tests::PlatformWorld;

namespace {

using namespace std::chrono_literals;
using cdp::LedgerWatch;

constexpr LedgerWatch::Pace kAtOnce{.first = 0ms, .cycle = 1ms, .rest = 0};

struct Shop : PlatformWorld {
    LedgerWatch watch{[this](const auto& progress) { return platform().check_ledger(progress); },
                      clock()};

    void grant() {
        consent("user_id", "u1", "email_marketing", "granted", "person", clock().now());
    }
    LedgerWatch::Seen await(std::uint64_t checks) const {
        for (int n = 0; n < 4'000 && watch.seen().checks < checks; ++n)
            std::this_thread::sleep_for(5ms);
        return watch.seen();
    }
};

}  // namespace

TEST_CASE("the ledger is checked again and again, and a record that was changed is named") {
    Shop shop;
    shop.grant();
    tests::Said said;
    shop.watch.begin(kAtOnce);
    const auto whole = shop.await(2);
    REQUIRE(whole.checks >= 2);
    CHECK(whole.entries >= 1);
    CHECK_FALSE(whole.damaged);
    CHECK(whole.through == shop.clock().now());
    CHECK(said.text().empty());

    std::string key;
    std::string value;
    {
        const auto snapshot = shop.store().snapshot();
        REQUIRE(
            snapshot->scan(storage::space_prefix(storage::Space::consent), "", [&](auto k, auto v) {
                key = k;
                value = v;
                return false;
            }));
        REQUIRE_FALSE(key.empty());
        value.back() = static_cast<char>(value.back() ^ 1);
        storage::Transaction transaction(*snapshot, storage::kPartition);
        transaction.put(key, value);
        REQUIRE(storage::commit_and_wait(shop.store(), std::move(transaction)).state ==
                storage::CommitState::ok);
    }
    const auto damaged = shop.await(whole.checks + 2);
    CHECK(damaged.damaged);
    CHECK(said.text().find("ledger_damaged") != std::string::npos);
}

TEST_CASE("nothing is checked before its time, nor when it is turned off") {
    Shop shop;
    std::atomic<int> asked = 0;
    const auto count = [&](const auto&) -> cdp::Result<consent::LedgerChecked> {
        ++asked;
        return consent::LedgerChecked{};
    };
    {
        LedgerWatch off(count, shop.clock());
        off.begin({.first = 0ms, .cycle = 0ms, .rest = 0});
        LedgerWatch later(count, shop.clock());
        later.begin({.first = 1h, .cycle = 1ms, .rest = 0});
    }
    CHECK(asked == 0);
}

TEST_CASE("a check rests most of the time, and ends with the watch") {
    Shop shop;
    std::promise<void> begun;
    std::atomic<bool> told_to_end = false;
    {
        LedgerWatch watch(
            [&](const consent::LedgerProgress& progress) -> cdp::Result<consent::LedgerChecked> {
                begun.set_value();
                std::this_thread::sleep_for(20ms);
                told_to_end = !progress("entries", 1);  // rests for a minute, unless it is to end
                return cdp::Error{.code = cdp::ErrorCode::unavailable,
                                  .reason = "stopped",
                                  .message = "It was stopped."};
            },
            shop.clock());
        watch.begin({.first = 0ms, .cycle = 1h, .rest = 3'000});
        begun.get_future().wait();
        CHECK_FALSE(told_to_end);
    }
    CHECK(told_to_end);
}

TEST_CASE("a store that cannot be read is said, and is no check") {
    Shop shop;
    tests::Said said;
    std::promise<void> again;
    int asked = 0;
    LedgerWatch watch(
        [&](const auto&) -> cdp::Result<consent::LedgerChecked> {
            if (++asked == 2) again.set_value();
            return cdp::Error{.code = cdp::ErrorCode::corruption,
                              .reason = "store_damaged",
                              .message = "It cannot be read."};
        },
        shop.clock());
    watch.begin(kAtOnce);
    again.get_future().wait();
    CHECK(said.text().starts_with("ledger_unread store_damaged\n"));
    CHECK(watch.seen().checks == 0);
}
