#include "identity/contradiction.h"

#include <catch2/catch.hpp>

#include "identity/assertion_rows.h"
#include "tests/identity/stored.h"

// What contradicts an assertion without saying the opposite of the same two.

namespace {

using identity::AssertionId;
using identity::AssertionKind;
using tests::IdentityWorld;
using tests::Stored;

// Accounts u0, u1, … that must or must not be linked.
class Accounts {
public:
    explicit Accounts(int count) {
        for (int i = 0; i < count; ++i) {
            const auto seen = world_.sighting("user_id", "u" + std::to_string(i));
            stored_.observe({.sightings = {seen}, .time = {}, .source = 1});
            tokens_.push_back(seen.token);
        }
    }

    AssertionId say(AssertionKind kind, int a, int b) {
        REQUIRE(stored_.say({.kind = kind, .identifiers = {token(a), token(b)}}) == "");
        return stored_.last();
    }
    AssertionId must(int a, int b) { return say(AssertionKind::must_link, a, b); }
    AssertionId cannot(int a, int b) { return say(AssertionKind::cannot_link, a, b); }
    void revoke(const AssertionId& id) { REQUIRE(stored_.revoke(id) == ""); }

    // What contradicts an assertion of the two, that stands under the id or is not made yet.
    std::vector<AssertionId> against(AssertionKind kind, int a, int b, const AssertionId& id = {}) {
        const auto snapshot = stored_.store().snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const auto found = identity::contradicted_by(
            transaction, {.id = id, .kind = kind, .identifiers = {token(a), token(b)}});
        REQUIRE(found);
        return *found;
    }

private:
    const cdp::Token& token(int i) const { return tokens_[static_cast<std::size_t>(i)]; }

    IdentityWorld world_;
    Stored stored_{world_};
    std::vector<cdp::Token> tokens_;
};

using Ids = std::vector<AssertionId>;

}  // namespace

TEST_CASE("a cannot-link contradicts the must-links of the shortest way between its ends") {
    Accounts accounts(5);
    const auto first = accounts.must(0, 1);
    const auto second = accounts.must(1, 2);
    accounts.must(0, 3);
    accounts.must(3, 4);
    accounts.must(4, 2);
    CHECK(accounts.against(AssertionKind::cannot_link, 0, 2) == Ids{first, second});
    CHECK(accounts.against(AssertionKind::cannot_link, 2, 0) == Ids{second, first});
    const auto id = accounts.cannot(0, 2);
    CHECK(accounts.against(AssertionKind::cannot_link, 0, 2, id) == Ids{first, second});
}

TEST_CASE("a must-link contradicts the cannot-links between those whom it brings together") {
    Accounts accounts(5);
    accounts.must(0, 1);
    accounts.must(2, 3);
    const auto between = accounts.cannot(0, 3);
    accounts.cannot(0, 4);
    CHECK(accounts.against(AssertionKind::must_link, 1, 2) == Ids{between});
    CHECK(accounts.against(AssertionKind::must_link, 2, 1) == Ids{between});
    const auto id = accounts.must(1, 2);
    CHECK(accounts.against(AssertionKind::must_link, 1, 2, id) == Ids{between});
    accounts.revoke(between);
    CHECK(accounts.against(AssertionKind::must_link, 1, 2, id).empty());
}

TEST_CASE("what is revoked and what is said of others contradicts nothing") {
    Accounts accounts(4);
    const auto must = accounts.must(0, 1);
    accounts.must(1, 2);
    accounts.cannot(0, 3);
    CHECK(accounts.against(AssertionKind::cannot_link, 1, 3).empty());
    CHECK(accounts.against(AssertionKind::must_link, 0, 2).empty());
    accounts.revoke(must);
    CHECK(accounts.against(AssertionKind::cannot_link, 0, 2).empty());
}

TEST_CASE("must-links are followed over a bounded number of identifiers") {
    constexpr int kMost = static_cast<int>(identity::kMustWalkMax);
    const auto token = [](int i) {
        return cdp::Token::from(storage::KeyWriter(storage::Space::meta, cdp::Token{})
                                    .number(static_cast<std::uint64_t>(i))
                                    .str()
                                    .substr(storage::kGroupBytes - 8));
    };
    const auto store = storage::make_memory_store();
    {
        const auto snapshot = store->snapshot();
        storage::Transaction writing(*snapshot, storage::kPartition);
        for (int i = 0; i < kMost; ++i)
            for (auto& row :
                 identity::standing_rows({.id = identity::new_assertion_id({}, "12345678"),
                                          .kind = AssertionKind::must_link,
                                          .identifiers = {token(i), token(i + 1)}}))
                writing.put(std::move(row.key), std::move(row.value));
        REQUIRE(storage::commit_and_wait(*store, std::move(writing)).state ==
                storage::CommitState::ok);
    }
    const auto snapshot = store->snapshot();
    storage::Transaction reading(*snapshot, storage::kPartition);
    const auto ways = [&](int to) {
        const auto found = identity::contradicted_by(
            reading, {.kind = AssertionKind::cannot_link, .identifiers = {token(0), token(to)}});
        REQUIRE(found);
        return found->size();
    };
    CHECK(ways(kMost - 1) == identity::kMustWalkMax - 1);
    CHECK(ways(kMost) == 0);
}
