#include "consent/consents.h"

#include <algorithm>
#include <functional>
#include <map>
#include <ranges>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "consent/rows.h"
#include "storage/key.h"
#include "storage/memory_store.h"
#include "tests/consent/world.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using storage::Transaction;
using tests::token;

// Counts what is read.
class Counted final : public storage::Snapshot {
public:
    explicit Counted(const storage::Store& store) : snapshot_(store.snapshot()) {}

    storage::Version version() const override { return snapshot_->version(); }
    cdp::Result<std::optional<std::string>> get(std::string_view key) const override {
        ++reads;
        return snapshot_->get(key);
    }
    cdp::Result<std::vector<std::optional<std::string>>> multi_get(
        std::span<const std::string> keys) const override {
        ++reads;
        return snapshot_->multi_get(keys);
    }
    cdp::Result<void> scan(std::string_view prefix, std::string_view from,
                           const storage::Visit& visit) const override {
        ++reads;
        return snapshot_->scan(prefix, from, visit);
    }

    mutable int reads = 0;

private:
    std::unique_ptr<storage::Snapshot> snapshot_;
};

struct Shop {
    std::unique_ptr<storage::Store> store = storage::make_memory_store();
    storage::Vault vault{storage::Keyring::generate()};
    Consents consents{vault};

    template <typename Work>
    auto write(Work work) {
        const auto snapshot = store->snapshot();
        Transaction transaction(*snapshot, storage::kPartition);
        auto result = work(transaction);
        CHECK(commit_and_wait(*store, std::move(transaction)).state == storage::CommitState::ok);
        return result.value();
    }
    bool record(const Record& record) {
        return write([&](Transaction& t) { return consents.record(t, record); });
    }
    bool stamp(const char* who, const Stamp& stamp) {
        return write([&](Transaction& t) { return consents.stamp(t, token(who), stamp); });
    }
    std::vector<Fact> load(const char* who) {
        const auto snapshot = store->snapshot();
        Transaction transaction(*snapshot, storage::kPartition);
        return consents.load(*snapshot, transaction, token(who)).value().facts;
    }
    std::uint64_t ledger_size() { return consents.ledger_size(*store->snapshot()).value(); }
};

Record example(std::uint64_t id = 1) {
    Record record{.id = tests::record_id(id)};
    record.asserted = {{token("mail")}, {token("account")}};
    record.purpose = "email_marketing";
    record.channels = {"email_tool"};
    record.state = State::granted;
    record.scope = Scope::identifier;
    record.time = tests::day(3);
    record.received = tests::day(4);
    record.valid_until = tests::day(400);
    record.origin = Origin::server;
    record.source = "shop";
    record.method = Method::checkbox;
    record.notice = {"n1", "v2", "aa"};
    return record;
}

Stamp example_stamp(int minute = 0, State state = State::granted) {
    return {.source = "web",
            .purpose = "advertising",
            .state = state,
            .time = tests::day(3) + std::chrono::minutes(minute)};
}

TEST_CASE("a record is found under each identifier it asserts, and under no other") {
    Shop shop;
    CHECK(shop.record(example()));
    const std::vector<Fact> expected = {fact_of(example(), token("mail"))};
    CHECK(shop.load("mail") == expected);
    CHECK(shop.load("account") == expected);
    CHECK(shop.load("cookie").empty());
    CHECK(shop.ledger_size() == 1);
}

TEST_CASE("a record of an id that is there already changes nothing") {
    Shop shop;
    CHECK(shop.record(example()));
    CHECK_FALSE(shop.record(example()));
    auto later = example();
    later.received += std::chrono::hours(1);  // a client that sent it again, an hour later
    CHECK_FALSE(shop.record(later));
    CHECK(shop.load("mail") == std::vector<Fact>{fact_of(example(), token("mail"))});
    CHECK(shop.ledger_size() == 1);
    CHECK(shop.record(example(2)));
    CHECK(shop.load("mail").size() == 2);
    CHECK(shop.ledger_size() == 2);
}

TEST_CASE("an id given to another answer is an error, not a repetition") {
    struct Row {
        const char* what;
        std::function<void(Record&)> change;
    };
    const auto row = GENERATE(values<Row>({
        {"state", [](Record& r) { r.state = State::withdrawn; }},
        {"scope", [](Record& r) { r.scope = Scope::person; }},
        {"purpose", [](Record& r) { r.purpose = "analytics"; }},
        {"channels", [](Record& r) { r.channels.clear(); }},
        {"identifiers", [](Record& r) { r.asserted = {{token("account")}, {token("cookie")}}; }},
        {"time", [](Record& r) { r.time += std::chrono::hours(1); }},
        {"validity", [](Record& r) { r.valid_until.reset(); }},
    }));
    CAPTURE(row.what);
    Shop shop;
    CHECK(shop.record(example()));
    auto other = example();
    row.change(other);
    const auto snapshot = shop.store->snapshot();
    Transaction transaction(*snapshot, storage::kPartition);
    const auto outcome = shop.consents.record(transaction, other);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == cdp::ErrorCode::conflict);
    CHECK(outcome.error().reason == "idempotency_key_reused");
}

TEST_CASE("a repetition may come with another time only where the server made the first") {
    auto made_here = example();
    made_here.received = made_here.time;
    const auto at = [](Record record, int hours, bool made) {
        record.time += std::chrono::hours(hours);
        record.received = made ? record.time : record.time + std::chrono::hours(50);
        return record;
    };
    CHECK(repeats(made_here, at(made_here, 1, true)));
    CHECK(repeats(made_here, at(made_here, -1, true)));  // the clock was set back
    CHECK(repeats(made_here, at(made_here, 1, false)));  // cut at first, for it lay ahead
    CHECK_FALSE(repeats(made_here, at(made_here, -1, false)));
    CHECK_FALSE(repeats(example(), at(example(), 1, true)));
    CHECK_FALSE(repeats(example(), at(example(), 1, false)));
}

TEST_CASE("an identifier asserted twice has the record once") {
    Shop shop;
    auto record = example();
    record.asserted = {{token("mail")}, {token("mail")}};
    CHECK(shop.record(record));
    CHECK(shop.load("mail").size() == 1);
}

TEST_CASE("a record that means nothing is not written") {
    Shop shop;
    const auto snapshot = shop.store->snapshot();
    Transaction transaction(*snapshot, storage::kPartition);
    const auto outcome = shop.consents.record(transaction, Record{});
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == cdp::ErrorCode::invalid_argument);
    CHECK(transaction.empty());
}

TEST_CASE("a transaction sees the answers it has written") {
    Shop shop;
    const auto snapshot = shop.store->snapshot();
    Transaction transaction(*snapshot, storage::kPartition);
    REQUIRE(shop.consents.record(transaction, example()).value());
    CHECK_FALSE(shop.consents.record(transaction, example()).value());
    CHECK(shop.consents.load(*snapshot, transaction, token("mail")).value().facts.size() == 1);
}

TEST_CASE("a read of someone's answers is out of date when another is recorded") {
    Shop shop;
    CHECK(shop.record(example()));
    const auto snapshot = shop.store->snapshot();
    Transaction transaction(*snapshot, storage::kPartition);
    REQUIRE(shop.consents.load(*snapshot, transaction, token("mail")));
    CHECK(shop.store->current(transaction.reads()));
    CHECK(shop.record(example(2)));
    CHECK_FALSE(shop.store->current(transaction.reads()));
}

TEST_CASE("an unchanged stamp costs no write, and soon no read") {
    Shop shop;
    CHECK(shop.stamp("cookie", example_stamp(5)));
    CHECK(shop.ledger_size() == 1);
    for (int i = 0; i < 3; ++i) {
        const Counted snapshot(*shop.store);
        Transaction transaction(snapshot, storage::kPartition);
        CHECK_FALSE(
            shop.consents.stamp(transaction, token("cookie"), example_stamp(5 + i)).value());
        CHECK(transaction.empty());
        if (i > 0) CHECK(snapshot.reads == 0);
        if (i > 0) CHECK(transaction.reads().marks().empty());
    }
    CHECK(shop.ledger_size() == 1);
}

TEST_CASE("an earlier stamp of a cell moves its first moment and adds nothing to the ledger") {
    Shop shop;
    CHECK(shop.stamp("cookie", example_stamp(5)));
    CHECK(shop.stamp("cookie", example_stamp(2)));
    CHECK_FALSE(shop.stamp("cookie", example_stamp(3)));
    CHECK(shop.stamp("cookie", example_stamp(1)));
    const auto facts = shop.load("cookie");
    REQUIRE(facts.size() == 1);
    CHECK(facts[0].time == example_stamp(1).time);
    CHECK(facts[0].cell);
    CHECK(facts[0].id == cell_id(token("cookie"), example_stamp()));
    CHECK(shop.ledger_size() == 1);
}

TEST_CASE("a stamp in a transaction that was never committed is not taken for known") {
    Shop shop;
    {
        const auto snapshot = shop.store->snapshot();
        Transaction transaction(*snapshot, storage::kPartition);
        CHECK(shop.consents.stamp(transaction, token("cookie"), example_stamp(1)).value());
        CHECK_FALSE(shop.consents.stamp(transaction, token("cookie"), example_stamp(2)).value());
    }
    CHECK(shop.stamp("cookie", example_stamp(2)));
    CHECK(shop.load("cookie").size() == 1);
}

TEST_CASE("a cache too small to remember costs reads, not correctness") {
    Shop shop;
    const Consents forgetful(shop.vault, 0);
    const auto stamp = [&](const char* who, int minute) {
        return shop.write(
            [&](Transaction& t) { return forgetful.stamp(t, token(who), example_stamp(minute)); });
    };
    for (const char* who : {"a", "b", "c", "d"}) CHECK(stamp(who, 5));
    for (const char* who : {"a", "b", "c", "d"}) CHECK_FALSE(stamp(who, 6));
    for (const char* who : {"a", "b", "c", "d"}) CHECK(stamp(who, 4));
    CHECK(shop.ledger_size() == 4);
}

TEST_CASE("stamps leave the same cells in whatever order they come") {
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random(seed);
    std::vector<Stamp> stamps;
    for (int i = 0; i < 12; ++i) {
        auto one = example_stamp(static_cast<int>(random.below(3000)),
                                 random.one_in(2) ? State::granted : State::denied);
        if (random.one_in(3)) one.source = "app";
        stamps.push_back(one);
    }
    const auto stored = [&](bool twice) {
        Shop shop;
        for (const Stamp& one : stamps)
            for (int i = 0; i <= (twice ? 1 : 0); ++i) shop.stamp("cookie", one);
        auto facts = shop.load("cookie");
        std::ranges::sort(facts, {}, &Fact::id);
        return std::pair(facts, shop.ledger_size());
    };
    const auto first = stored(/*twice=*/false);
    for (std::size_t n = stamps.size(); n > 1; --n)
        std::swap(stamps[n - 1], stamps[random.below(n)]);
    CHECK(stored(/*twice=*/true) == first);

    // Independently: per cell the least time.
    std::map<cdp::RecordId, cdp::Timestamp> least;
    for (const Stamp& one : stamps) {
        auto& time = least.try_emplace(cell_id(token("cookie"), one), one.time).first->second;
        time = std::min(time, one.time);
    }
    REQUIRE(first.first.size() == least.size());
    CHECK(first.second == least.size());
    for (const Fact& fact : first.first) CHECK(fact.time == least.at(fact.id));
}

TEST_CASE("each ledger entry commits to what was sealed, and shows nothing of it") {
    Shop shop;
    CHECK(shop.record(example()));
    CHECK(shop.stamp("cookie", example_stamp()));
    const auto snapshot = shop.store->snapshot();
    std::vector<std::string> entries;
    REQUIRE(snapshot->scan(ledger_prefix(), {}, [&](std::string_view, std::string_view entry) {
        entries.emplace_back(entry);
        return true;
    }));
    REQUIRE(entries.size() == 2);

    const auto opened = [&](const char* who, const std::string& key) {
        const auto subject = shop.vault.find(*snapshot, token(who)).value().value();
        return open_row(subject, token(who), key, snapshot->get(key).value().value()).value();
    };
    const auto record = opened("mail", record_key(token("mail"), example()));
    const auto told = decode_entry(entries[0]).value();
    CHECK(told.type == EntryType::record);
    CHECK(told.time == example().received);
    CHECK(told.tenant == shop.vault.tenant());
    CHECK(told.commitment == commitment(EntryType::record, record.salt, encode(example())));
    CHECK(opened("account", record_key(token("account"), example())).salt == record.salt);
    const auto id = cell_id(token("cookie"), example_stamp());
    const auto cell = opened("cookie", cell_key(token("cookie"), example_stamp(), id));
    const auto first = decode_entry(entries[1]).value();
    CHECK(first.commitment ==
          commitment(EntryType::cell, cell.salt, cell_identity(id, example_stamp())));
    CHECK(cdp::milliseconds_of(first.time) % 86'400'000 == 0);
    CHECK(record.salt != cell.salt);
    for (const auto& entry : entries) CHECK(entry.size() == 50);
}

TEST_CASE("cells lie in the order of their days, also before 1970") {
    const auto key = [](int n) {
        auto one = example_stamp();
        one.time = tests::day(n);
        return cell_key(token("cookie"), one, {});
    };
    for (int n = -3; n < 3; ++n) CHECK(key(n) < key(n + 1));
}

TEST_CASE("nothing of an answer can be read in the store") {
    Shop shop;
    CHECK(shop.record(example()));
    CHECK(shop.stamp("cookie", example_stamp()));
    const std::string all(1, '\0');  // the partition's first byte
    REQUIRE(shop.store->snapshot()->scan(all, {}, [](std::string_view key, std::string_view value) {
        for (const auto* word : {"email_marketing", "advertising", "shop", "web", "checkbox"}) {
            CHECK(key.find(word) == std::string_view::npos);
            CHECK(value.find(word) == std::string_view::npos);
        }
        return true;
    }));
}

TEST_CASE("every row of everybody is met, and a record once under its first identifier") {
    Shop shop;
    CHECK(shop.record(example(1)));
    CHECK(shop.record(example(2)));
    CHECK(shop.stamp("cookie", example_stamp()));
    int rows = 0;
    int records = 0;
    REQUIRE(shop.consents.each(*shop.store->snapshot(), [&](const cdp::Token& who, const Row& row) {
        ++rows;
        const auto* record = std::get_if<Record>(&row);
        if (record && record->asserted.front().token == who) ++records;
        return true;
    }));
    CHECK(rows == 5);
    CHECK(records == 2);
    rows = 0;
    REQUIRE(shop.consents.each(*shop.store->snapshot(),
                               [&](const cdp::Token&, const Row&) { return ++rows < 2; }));
    CHECK(rows == 2);
}

TEST_CASE("everybody's rows, read on from any of their places, are the same rows") {
    Shop shop;
    CHECK(shop.record(example(1)));
    CHECK(shop.record(example(2)));
    CHECK(shop.stamp("cookie", example_stamp()));
    const auto snapshot = shop.store->snapshot();
    std::vector<std::string> places;
    REQUIRE(shop.consents.each_after(*snapshot, {},
                                     [&](const cdp::Token&, const Row&, std::string_view place) {
                                         places.emplace_back(place);
                                         return true;
                                     }));
    CHECK(places.size() == 5);
    for (std::size_t i = 0; i < places.size(); ++i) {
        std::vector<std::string> rest;
        REQUIRE(shop.consents.each_after(
            *snapshot, places[i], [&](const cdp::Token&, const Row&, std::string_view place) {
                rest.emplace_back(place);
                return true;
            }));
        CHECK(std::ranges::equal(rest, places | std::views::drop(i + 1)));
    }
}

TEST_CASE("answers that cannot be read are an error, never silence") {
    Shop shop;
    CHECK(shop.record(example()));
    const auto key = record_key(token("mail"), example());
    const auto load = [&] {
        const auto snapshot = shop.store->snapshot();
        Transaction transaction(*snapshot, storage::kPartition);
        return shop.consents.load(*snapshot, transaction, token("mail"));
    };
    REQUIRE(load());
    shop.write([&](Transaction& t) {
        auto value = t.get(key).value().value();
        value.back() = static_cast<char>(value.back() ^ 1);
        t.put(key, value);
        return cdp::Result<bool>(true);
    });
    REQUIRE_FALSE(load());
    CHECK(load().error().code == cdp::ErrorCode::corruption);
    shop.write([&](Transaction& t) {
        t.erase(storage::KeyWriter(storage::Space::subject_key, token("mail")).str());
        return cdp::Result<bool>(true);
    });
    shop.vault.forget(token("mail"));
    REQUIRE_FALSE(load());
    CHECK(load().error().code == cdp::ErrorCode::corruption);
}

}  // namespace
