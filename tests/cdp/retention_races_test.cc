#include <algorithm>
#include <string>

#include "tests/cdp/retention_world.h"
#include "tests/support/forwarding_store.h"

// A run of retention beside others that write the same rows, and what one commit of it holds.

namespace {

using namespace tests::retention;
using tests::PlatformWorld;

// A store where others are always first with what takes long: a commit of many rows conflicts, and
// so does any that touches a subject.
class BusyStore final : public tests::ForwardingStore {
public:
    std::size_t rows_max = kAny;
    std::optional<cdp::Token> contended = {};
    std::size_t largest = 0;
    int conflicts = 0;

    void commit(std::vector<storage::Transaction> transactions, storage::Committed done) override {
        REQUIRE(transactions.size() == 1);
        const auto writes = transactions[0].writes();
        largest = std::max(largest, writes.size());
        const auto theirs = [&](const storage::Transaction::Write& write) {
            return contended && storage::subject_in(write.key) == *contended;
        };
        if (writes.size() <= rows_max && std::ranges::none_of(writes, theirs))
            return ForwardingStore::commit(std::move(transactions), std::move(done));
        // Whoever tries for ever is to fail, not to hang.
        if (++conflicts > 2'000)
            done({{.error = {.code = cdp::ErrorCode::unavailable,
                             .reason = "starved",
                             .message = "Starved."}}});
        else
            done({{.state = storage::CommitState::conflict}});
    }

private:
    static constexpr std::size_t kAny = 1'000'000;
};

struct Busy {
    explicit Busy(const cdp::Config& config) : world(config, make()) {}

    std::unique_ptr<storage::Store> make() {
        auto made = std::make_unique<BusyStore>();
        store = made.get();
        return made;
    }

    BusyStore* store = nullptr;
    PlatformWorld world;
};

void send_visits(PlatformWorld& world, int n, const std::string& who) {
    auto batch = json::array();
    for (int i = 0; i < n; ++i)
        batch.push_back({{"type", "track"},
                         {"event", "x"},
                         {"userId", who},
                         {"anonymousId", "c-" + who},
                         {"messageId", who + std::to_string(i)},
                         {"timestamp", "2026-05-0" + std::to_string(i % 9 + 1)}});
    world.send(json{{"batch", batch}}.dump(), kTill);
}

}  // namespace

TEST_CASE("a run gets through where only what is done at once is done at all", "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""}});
    Busy busy(config);
    for (const auto* who : {"u1", "u2", "u3"}) send_visits(busy.world, 300, who);
    const auto persons = lines(busy.world, cdp::ExportKind::persons);
    busy.store->rows_max = 12;
    const auto run = pruned(busy.world);
    busy.store->rows_max = 1'000'000;
    INFO(run.dump());
    CHECK(run.value("error", "") == "");
    CHECK(gone(run, "events") == 900);
    CHECK(run["contended"] == 0);
    CHECK(busy.store->conflicts > 0);
    CHECK(lines(busy.world, cdp::ExportKind::persons) == persons);
    CHECK(differing(busy.world, config) == 0);
}

TEST_CASE("where somebody always writes first the next run goes on, and this one ends",
          "[retention]") {
    const auto config = retaining({{What::type, "track", {0, 90}, ""}});
    Busy busy(config);
    for (const auto* who : {"u1", "u2", "u3"}) send_visits(busy.world, 30, who);
    busy.store->contended = busy.world.vault().token("user_id", "u2");
    const auto run = pruned(busy.world);
    busy.store->contended.reset();
    INFO(run.dump());
    CHECK(run.value("error", "") == "");
    CHECK(gone(run, "events") == 60);
    CHECK(run["contended"] == 1);
    CHECK(state(busy.world)["runs"][0]["contended"] == 1);
    const auto next = pruned(busy.world);
    CHECK(gone(next, "events") == 30);
    CHECK(next["contended"] == 0);
    CHECK(differing(busy.world, config) == 0);
}

TEST_CASE("no commit of a run holds more rows than it says", "[retention]") {
    auto config = retaining({{What::type, "identify", {0, 90}, ""}});
    for (int i = 0; i < 8'000; ++i) {
        const auto name = "t" + std::to_string(i);
        config.policy.traits[name] = {"commerce"};
    }
    config.retention.push_back({What::label, "commerce", {0, 200}, ""});
    Busy busy(config);
    // Each says thousands of traits that no other says.
    for (int from = 0; from < 8'000; from += 2'000) {
        json traits;
        for (int i = from; i < from + 2'000; ++i) traits["t" + std::to_string(i)] = 0;
        send(busy.world, {{"type", "identify"}, {"userId", "u1"}, {"traits", traits}},
             "i" + std::to_string(from), "2026-06-01T10:00:0" + std::to_string(from / 2'000) + "Z");
    }
    send_visits(busy.world, 900, "u1");
    busy.store->largest = 0;
    CHECK(gone(pruned(busy.world), "events") == 4);
    CHECK(busy.store->largest <= cdp::kPrunedRowsMax);
    CHECK(busy.store->largest > 1'000);
    // All at once are past their time.
    busy.world.clock().set("2026-12-30T00:00:00Z");
    busy.store->largest = 0;
    CHECK(gone(pruned(busy.world), "traits") == 8'000);
    CHECK(busy.store->largest <= cdp::kPrunedRowsMax);
    CHECK(rows_in(busy.world, storage::Space::trait) == 0);
    CHECK(differing(busy.world, config) == 0);
}
