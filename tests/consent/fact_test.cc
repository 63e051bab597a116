#include "consent/fact.h"

#include <algorithm>
#include <map>

#include <catch2/catch.hpp>

#include "consent/decision.h"
#include "tests/consent/random_world.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using tests::day;

const cdp::Token kCookie = tests::token("cookie");

Stamp stamp(State state, cdp::Timestamp time, const std::string& purpose = "ads") {
    return {.source = "web", .purpose = purpose, .state = state, .time = time};
}

Fact fact_of_stamp(const cdp::Token& token, const Stamp& stamp, bool cell) {
    return {.id = cell_id(token, stamp),
            .purpose = stamp.purpose,
            .state = stamp.state,
            .scope = stamp.scope,
            .origin = stamp.origin,
            .time = stamp.time,
            .cell = cell};
}

// What is stored of them: per cell its first moment.
std::vector<Fact> cells_of(const cdp::Token& token, std::span<const Stamp> stamps) {
    std::map<cdp::RecordId, Fact> cells;
    for (const Stamp& one : stamps) {
        auto fact = fact_of_stamp(token, one, /*cell=*/true);
        auto& cell = cells.try_emplace(fact.id, fact).first->second;
        if (fact.time < cell.time) cell = fact;
    }
    std::vector<Fact> facts;
    for (auto& [id, cell] : cells) facts.push_back(cell);
    return facts;
}

cdp::Timestamp hour(int n) {
    return cdp::timestamp_of(n * 3'600'000LL);
}

TEST_CASE("a cell is one identifier, source, purpose, answer and UTC day") {
    const auto id = cell_id(kCookie, stamp(State::granted, hour(1)));
    CHECK(cell_id(kCookie, stamp(State::granted, hour(23))) == id);
    CHECK(cell_id(kCookie, stamp(State::granted, hour(24))) != id);
    CHECK(cell_id(kCookie, stamp(State::denied, hour(1))) != id);
    CHECK(cell_id(kCookie, stamp(State::granted, hour(1), "analytics")) != id);
    CHECK(cell_id(tests::token("mail"), stamp(State::granted, hour(1))) != id);
    auto other = stamp(State::granted, hour(1));
    other.source = "app";
    CHECK(cell_id(kCookie, other) != id);
    other = stamp(State::granted, hour(1));
    other.scope = Scope::person;
    CHECK(cell_id(kCookie, other) != id);
    other = stamp(State::granted, hour(1));
    other.origin = Origin::server_stamp;
    CHECK(cell_id(kCookie, other) != id);
}

TEST_CASE("a day is contested when a cell and an opposite fact meet on it") {
    const auto days = [](std::vector<Fact> facts) { return contested(kCookie, facts).size(); };
    const auto cell = [](State state, int at, const std::string& purpose = "ads") {
        return fact_of_stamp(kCookie, stamp(state, hour(at), purpose), /*cell=*/true);
    };
    auto record = cell(State::withdrawn, 12);
    record.cell = false;
    auto short_lived = record;
    short_lived.state = State::granted;
    short_lived.valid_until = hour(13);

    CHECK(days({}) == 0);
    CHECK(days({cell(State::granted, 1)}) == 0);
    CHECK(days({cell(State::granted, 1), cell(State::denied, 2)}) == 1);
    CHECK(days({cell(State::granted, 1), cell(State::denied, 25)}) == 0);
    CHECK(days({cell(State::granted, 1), cell(State::denied, 2, "scoring")}) == 0);
    CHECK(days({cell(State::granted, 1), cell(State::denied, 2, "ads/social")}) == 2);
    CHECK(days({cell(State::granted, 1), record}) == 1);
    CHECK(days({cell(State::denied, 1), record}) == 0);
    CHECK(days({cell(State::granted, 1), short_lived}) == 1);
    CHECK(days({record, short_lived}) == 0);
}

TEST_CASE("somebody who denied, granted and denied again within a day has denied") {
    const std::vector<Stamp> stamps = {stamp(State::denied, hour(1)),
                                       stamp(State::granted, hour(2)),
                                       stamp(State::denied, hour(3))};
    auto all = tests::members();
    const Question question{.purpose = "ads", .channel = "tool", .now = hour(5)};
    const auto standing = [&](std::vector<Fact> facts) {
        all[0].facts = std::move(facts);
        return Judge(tests::policy(), all, question).standing(kCookie).reason;
    };
    const auto cells = cells_of(kCookie, stamps);
    REQUIRE(contested(kCookie, cells) == std::vector<Contested>{{kCookie, "ads", 0}});
    CHECK(standing(cells) == Reason::granted);  // the first moments alone would be wrong
    CHECK(standing(refine(kCookie, cells, stamps)) == Reason::denied);
}

// What every stamp being a fact of its own would decide.
struct Stream {
    std::vector<Member> exact = tests::members();
    std::vector<Member> refined = tests::members();
};

Stream random_stream(cdp::Random& random) {
    Stream stream;
    for (std::size_t m = 0; m < stream.exact.size(); ++m) {
        const auto token = stream.exact[m].token;
        std::vector<Stamp> stamps;
        for (auto n = random.below(6); n > 0; --n) {
            auto one = stamp(random.one_in(3) ? State::denied : State::granted,
                             hour(static_cast<int>(random.below(60))),
                             random.one_in(3) ? "ads" : "ads/social");
            if (random.one_in(3)) one.source = "app";
            if (random.one_in(3)) one.scope = Scope::person;
            stamps.push_back(one);
        }
        auto& exact = stream.exact[m].facts;
        for (const auto& one : stamps) exact.push_back(fact_of_stamp(token, one, /*cell=*/false));
        auto cells = cells_of(token, stamps);
        for (auto n = random.below(3); n > 0; --n) {
            auto record = tests::random_fact(random, "ads");
            record.time = hour(static_cast<int>(random.below(60)));
            if (record.valid_until) record.valid_until = record.time + std::chrono::hours(5);
            exact.push_back(record);
            cells.push_back(record);
        }
        stream.refined[m].facts = refine(token, std::move(cells), stamps);
    }
    return stream;
}

TEST_CASE("refined cells decide like stamps that were all kept") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < 20; ++i) {
        const auto stream = random_stream(random);
        const Question question{.purpose = tests::pick<std::string>(random, {"ads", "ads/social"}),
                                .channel = "tool",
                                .now = hour(static_cast<int>(random.below(70)))};
        auto datum = tests::random_datum(random, stream.exact);
        datum.captured = hour(static_cast<int>(random.below(70)));
        const Judge exact(tests::policy(), stream.exact, question);
        const Judge refined(tests::policy(), stream.refined, question);
        // What a grant names is collected anew up to its last moment, of which a cell knows only
        // the first: with a value it may refuse more, never less.
        if (refined.decide(datum).allowed()) CHECK(exact.decide(datum).allowed());
        datum.value.reset();
        CHECK(refined.decide(datum).allowed() == exact.decide(datum).allowed());
    }
}

}  // namespace
