#include <algorithm>
#include <future>

#include <catch2/catch.hpp>

#include "cdp/ledger_rows.h"
#include "cdp/scrub.h"
#include "tests/cdp/backup_world.h"

// Somebody is erased while all is looked through, and the epoch ends that their key was wrapped
// under: what the snapshot still has of them cannot be opened any more, and is not damaged.

namespace {

struct Shop : tests::BackedUp {
    // Those who are erased; where they lie among the others is up to their tokens.
    static constexpr int kGone = 20;

    explicit Shop(int people) {
        constexpr int kAtOnce = 2'000;
        for (int first = 0; first < people; first += kAtOnce) {
            std::string events;
            for (int n = first; n < std::min(people, first + kAtOnce); ++n)
                events += std::string(n > first ? "," : "") +
                          R"({"type":"track","event":"x","userId":")" + name(n) +
                          R"(","messageId":"m)" + std::to_string(n) + "\"}";
            send(R"({"batch":[)" + events + "]}");
        }
    }

    static std::string name(int n) { return "u" + std::to_string(n); }
    void grant(int people) {
        constexpr int kAtOnce = 500;
        for (int first = 0; first < people; first += kAtOnce) {
            std::vector<cdp::ConsentRequest> requests;
            for (int n = first; n < std::min(people, first + kAtOnce); ++n) {
                auto& one = requests.emplace_back();
                one.identifiers = {{"user_id", name(n)}};
                one.purpose = "email_marketing";
                one.state = "granted";
            }
            std::promise<bool> stored;
            platform().record_consents(
                source("crm", cdp::Trust::server), std::move(requests),
                [&](const auto& done) { stored.set_value(static_cast<bool>(done)); });
            REQUIRE(stored.get_future().get());
        }
    }
    void forget_some() {
        for (int n = 0; n < kGone; ++n) erase("user_id", name(n));
        end_epoch();
    }
};

}  // namespace

TEST_CASE("who is erased while the ledger is checked, and the epoch with them, is no damage") {
    constexpr int kPeople = 1'100;  // twice as many rows, and progress is told after 1,024
    Shop shop(Shop::kGone);
    shop.grant(kPeople);
    int checks = 0;
    const auto checked = shop.platform().check_ledger([&](std::string_view stage, auto done) {
        if (stage == "records" && done == 1'024 && ++checks == 1) shop.forget_some();
        return true;
    });
    REQUIRE(checked);
    CHECK_FALSE(checked->fault);
    CHECK(checks == 2);
}

TEST_CASE("who is erased while every sealed row is opened, and the epoch with them, is no damage") {
    Shop shop(10'100);  // progress is told after 10,000
    int told = 0;
    const auto scrubbed =
        cdp::scrub(shop.store(), shop.vault(), [&](std::string_view stage, auto done) {
            if (stage == "keys" && done > 0 && ++told == 1) shop.forget_some();
            return true;
        });
    REQUIRE(scrubbed);
    CHECK(told == 1);
    CHECK(scrubbed->whole());
    CHECK(scrubbed->sealed.front().rows > 10'000);
}
