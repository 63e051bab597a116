#include "identity/evidence.h"

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "tests/support/seeds.h"

namespace {

identity::Evidence random_evidence(cdp::Random& random) {
    return identity::observation(
        static_cast<identity::LinkClass>(1 + random.below(6)),
        cdp::timestamp_of(static_cast<std::int64_t>(random.below(200)) * 86'400'000),
        static_cast<std::uint32_t>(random.below(20)));
}

}  // namespace

TEST_CASE("evidence is a join-semilattice") {
    const auto seed = GENERATE(tests::seeds(300));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::vector<identity::Evidence> seen(2 + random.below(12));
    for (auto& one : seen) one = random_evidence(random);

    auto forwards = seen.front();
    for (const auto& one : seen) identity::join(forwards, one);
    auto backwards = seen.back();
    for (std::size_t i = seen.size(); i > 0; --i) identity::join(backwards, seen[i - 1]);
    auto half = seen[seen.size() / 2];
    for (std::size_t i = seen.size() / 2; i < seen.size(); ++i) identity::join(half, seen[i]);
    auto halves = seen[0];
    for (std::size_t i = 0; i < seen.size() / 2; ++i) identity::join(halves, seen[i]);
    identity::join(halves, half);

    CHECK(forwards == backwards);
    CHECK(forwards == halves);
    CHECK_FALSE(identity::join(forwards, halves));
}

TEST_CASE("evidence remembers the days of the last 64 and the first of all") {
    const auto on = [](std::int64_t day) {
        return identity::observation(identity::LinkClass::cookie,
                                     cdp::timestamp_of(day * 86'400'000), 1);
    };
    auto evidence = on(100);
    identity::join(evidence, on(37));  // 63 days before: still a bit
    identity::join(evidence, on(36));  // 64 days before: only the first day
    CHECK(evidence.first_day == 36);
    CHECK(evidence.last_day == 100);
    CHECK(evidence.days == ((1ULL << 63) | 1));
}

TEST_CASE("evidence reads back as written, and nothing shorter or longer does") {
    cdp::Random random{7};
    auto evidence = random_evidence(random);
    for (int i = 0; i < 20; ++i) identity::join(evidence, random_evidence(random));
    const auto bytes = identity::encode(evidence);
    CHECK(identity::decode_evidence(bytes) == evidence);
    for (std::size_t n = 0; n < bytes.size(); ++n)
        CHECK_FALSE(identity::decode_evidence(std::string_view(bytes).substr(0, n)));
    CHECK_FALSE(identity::decode_evidence(bytes + "x"));
}
