#include "tests/simulator/scores.h"

#include <catch2/catch.hpp>

#include "tests/simulator/report.h"

namespace simulator {
namespace {

const Labels kTruth{0, 0, 0, 1, 1};

SimEvent of_account(std::string user_id) {
    SimEvent event;
    event.user_id = std::move(user_id);
    return event;
}

TEST_CASE("pairwise scores count the pairs that belong together") {
    const auto score = pairwise(kTruth, {7, 7, 9, 9, 9});  // 2 of 4 pairs found, 2 of 4 true
    CHECK(score.precision == Approx(.5));
    CHECK(score.recall == Approx(.5));
    CHECK(score.f1 == Approx(.5));

    const auto one_blob = pairwise(kTruth, {3, 3, 3, 3, 3});
    CHECK(one_blob.precision == Approx(.4));
    CHECK(one_blob.recall == 1);
    CHECK(one_blob.f1 == Approx(.8 / 1.4));

    const auto all_apart = pairwise(kTruth, {1, 2, 3, 4, 5});
    CHECK(all_apart.precision == 1);
    CHECK(all_apart.recall == 0);
    CHECK(all_apart.f1 == 0);
}

TEST_CASE("B-cubed scores weigh every event the same") {
    const auto score = b_cubed(kTruth, {7, 7, 9, 9, 9});
    CHECK(score.precision == Approx((2 + 1. / 3 + 4. / 3) / 5));
    CHECK(score.recall == Approx((4. / 3 + 1. / 3 + 2) / 5));

    const auto one_blob = b_cubed(kTruth, {3, 3, 3, 3, 3});
    CHECK(one_blob.precision == Approx((9. / 5 + 4. / 5) / 5));
    CHECK(one_blob.recall == Approx(1));

    const auto all_apart = b_cubed(kTruth, {1, 2, 3, 4, 5});
    CHECK(all_apart.precision == Approx(1));
    CHECK(all_apart.recall == Approx(2. / 5));
}

TEST_CASE("a perfect labelling scores 1 whatever its numbers are") {
    const Labels renamed{40, 40, 40, 2, 2};
    CHECK(pairwise(kTruth, renamed).f1 == 1);
    CHECK(b_cubed(kTruth, renamed).f1 == Approx(1));
    CHECK(agreement(kTruth, renamed) == 1);
}

TEST_CASE("agreement is the same both ways and sees one event that moved") {
    const Labels moved{0, 0, 1, 1, 1};
    CHECK(agreement(kTruth, moved) == Approx(.5));
    CHECK(agreement(moved, kTruth) == agreement(kTruth, moved));
}

TEST_CASE("the biggest person's share is of all events") {
    CHECK(biggest_share(kTruth) == Approx(.6));
    CHECK(biggest_share({}) == 0);
}

TEST_CASE("a person with two accounts is counted once, one account twice not at all") {
    const std::vector<SimEvent> events{of_account("a"), of_account("b"), of_account("c"),
                                       of_account("d"), of_account("d"), of_account("")};
    CHECK(with_two_accounts(events, {0, 0, 0, 1, 1, 1}) == 1);
    CHECK(with_two_accounts(events, {0, 1, 2, 3, 3, 0}) == 0);
}

TEST_CASE("every goal that is missed is named") {
    Row good;
    good.pairwise.f1 = .93;
    good.b_cubed.f1 = .92;
    good.late = good.shuffled = 1;
    CHECK(missed_goals({"cdp", {good, good}}).empty());

    auto bad = good;
    bad.pairwise.f1 = .90;  // .915 on average
    bad.b_cubed.f1 = .89;
    bad.late = bad.shuffled = .99999;
    bad.two_accounts = 1;
    CHECK(missed_goals({"cdp", {good, bad}}).size() == 5);
}

TEST_CASE("the analysis puts a loss down to the events that lose") {
    std::vector<SimEvent> events(4);
    for (auto& event : events) event.anonymous_id.push_back('c');
    events[3].channel = Channel::kiosk;
    const auto text = errors(events, {0, 0, 1, 1}, {0, 0, 1, 2});
    CAPTURE(text);
    // The kiosk's event and the one it was parted from: half of what is lost each.
    CHECK(text.find("kiosk, silent session: nothing but the device  ") != text.npos);
    CHECK(text.find(" 1  1.000  0.500     0.0 %    50.0 %") != text.npos);
}

}  // namespace
}  // namespace simulator
