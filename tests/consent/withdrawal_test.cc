#include "consent/withdrawal.h"

#include <catch2/catch.hpp>

#include "storage/key.h"
#include "storage/memory_store.h"
#include "tests/consent/world.h"
#include "tests/support/keyring.h"

using namespace consent;

namespace {

struct Shop {
    std::unique_ptr<storage::Store> store = storage::make_memory_store();
    storage::Vault vault{tests::fixed_keyring()};
    Consents consents{vault};

    template <typename Work>
    bool write(Work work) {
        const auto snapshot = store->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto made = work(transaction);
        REQUIRE(made);
        CHECK(commit_and_wait(*store, std::move(transaction)).state == storage::CommitState::ok);
        return *made;
    }
    bool record(const Record& record) {
        return write([&](auto& t) { return consents.record(t, record); });
    }
    bool stamp(const cdp::Token& token, const Stamp& stamp, cdp::Timestamp received) {
        return write([&](auto& t) { return consents.stamp(t, token, stamp, received); });
    }
    std::vector<Withdrawal> log() const {
        std::vector<Withdrawal> out;
        REQUIRE(store->snapshot()->scan(withdrawal_log(), "", [&](auto, auto value) {
            out.push_back(decode_withdrawal(value).value());
            return true;
        }));
        return out;
    }
};

const auto kAccount = cdp::Token::from("account.........");
const auto kMail = cdp::Token::from("mail............");

Record said(State state, std::uint64_t id) {
    Record record{.id = tests::record_id(id)};
    record.asserted = {{kMail}, {kAccount}};
    record.purpose = "email_marketing";
    record.state = state;
    record.time = tests::day(3);
    record.received = tests::day(4);
    record.origin = Origin::server;
    record.source = "shop";
    return record;
}

}  // namespace

TEST_CASE("each denial is logged once, and nothing else is") {
    Shop shop;
    std::uint64_t id = 0;
    for (const auto state : {State::granted, State::expired}) CHECK(shop.record(said(state, ++id)));
    CHECK(shop.log().empty());
    for (const auto state : {State::denied, State::withdrawn, State::objected, State::restricted}) {
        CHECK(shop.record(said(state, ++id)));
        CHECK_FALSE(shop.record(said(state, id)));
        REQUIRE(shop.log().size() == id - 2);
        const auto last = shop.log().back();
        CHECK(last == Withdrawal{.tokens = {kAccount, kMail},
                                 .id = tests::record_id(id),
                                 .time = tests::day(3),
                                 .received = tests::day(4)});
        const auto found = find(*shop.store->snapshot(), shop.vault, last);
        REQUIRE((found && *found));
        CHECK(std::get<Record>(**found) == said(state, id));
    }
}

TEST_CASE("a stamp's denial is logged with its cell, and when it came in") {
    Shop shop;
    Stamp stamp{.source = "web", .purpose = "advertising", .state = State::granted};
    stamp.time = tests::day(3) + std::chrono::hours{5};
    CHECK(shop.stamp(kMail, stamp, tests::day(9)));
    CHECK(shop.log().empty());
    stamp.state = State::denied;
    CHECK(shop.stamp(kMail, stamp, tests::day(9)));
    CHECK_FALSE(shop.stamp(kMail, stamp, tests::day(10)));
    // Moves the cell's first moment.
    stamp.time -= std::chrono::hours{2};
    CHECK(shop.stamp(kMail, stamp, tests::day(11)));
    const auto log = shop.log();
    REQUIRE(log.size() == 1);
    CHECK(log[0].cell);
    CHECK(log[0].received == tests::day(9));
    const auto found = find(*shop.store->snapshot(), shop.vault, log[0]);
    REQUIRE((found && *found));
    CHECK(std::get<Cell>(**found).first == stamp);
}

TEST_CASE("a row that is no withdrawal is refused, and what nobody can read is not found") {
    Shop shop;
    CHECK(shop.record(said(State::denied, 1)));
    CHECK(decode_withdrawal("").error().reason == "consent_damaged");
    CHECK(decode_withdrawal(std::string(50, '\x02')).error().reason == "consent_damaged");
    auto other = shop.log()[0];
    other.id = tests::record_id(2);
    CHECK_FALSE(find(*shop.store->snapshot(), shop.vault, other).value());
    other = shop.log()[0];
    other.tokens = {cdp::Token::from("nobody..........")};
    CHECK_FALSE(find(*shop.store->snapshot(), shop.vault, other).value());
    // One of its identifiers is gone: it is found under the next.
    other.tokens.push_back(kMail);
    CHECK(find(*shop.store->snapshot(), shop.vault, other).value());
}

TEST_CASE("what is told of who was erased stands under nobody's identifier") {
    Shop shop;
    const Withdrawal erased{
        .id = tests::record_id(7), .time = tests::day(1), .received = tests::day(2)};
    CHECK(shop.write([&](auto& t) {
        append(t, erased);
        return cdp::Result<bool>(true);
    }));
    REQUIRE(shop.log().size() == 1);
    CHECK(shop.log()[0] == erased);
    CHECK_FALSE(find(*shop.store->snapshot(), shop.vault, erased).value());
}
