#include "tests/cdp/seen_world.h"
#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

// The second promise, from outside: the same events and answers in any order, repeated and late,
// give the same people, the same evidence, the same consent and the same answers to every channel.

namespace {

constexpr const char* kDays[] = {"2026-11-19", "2026-11-20"};

tests::Call draw(cdp::Random& random, std::size_t serial) {
    return tests::draw_call(random, serial, kDays);
}

tests::Outcome run(const std::vector<tests::Call>& calls) {
    tests::PlatformWorld world;
    tests::tell(world, calls, [] {});
    return tests::seen_of(world, {});
}

}  // namespace

TEST_CASE("the same calls in any order, repeated and late, give the same people and answers") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    CHECK(tests::same_in_any_order(seed, 40, draw, run));
}

TEST_CASE("the comparison of orders notices a call that is missing") {
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        cdp::Random random(seed);
        auto said = tests::drawn(random, 40, draw);
        const auto whole = run(said);
        said.pop_back();
        noticed += !(run(said) == whole);
    }
    CHECK(noticed == 10);
}
