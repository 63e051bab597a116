#include "identity/evidence.h"

#include <map>
#include <optional>

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "identity/assertion.h"
#include "identity/links.h"
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

TEST_CASE("a link's row reads back as written, and nothing shorter or longer does") {
    cdp::Random random{7};
    const auto a = cdp::Token::from("aaaaaaaaaaaaaaaa");
    const auto b = cdp::Token::from("bbbbbbbbbbbbbbbb");
    for (int i = 0; i < 200; ++i) {
        auto row = identity::link_day(static_cast<identity::LinkClass>(random.below(8)),
                                      static_cast<std::int32_t>(random.below(40000)) - 20000,
                                      static_cast<std::uint32_t>(random.next()));
        row.days |= random.next();
        const auto key = identity::link_key(a, b, row);
        const auto value = identity::encode_days(row.days);
        const auto link = identity::decode_link(key, value);
        REQUIRE(link);
        CHECK(link->from == a);
        CHECK(link->to == b);
        CHECK(link->row == row);
        for (std::size_t n = 0; n < value.size(); ++n)
            CHECK_FALSE(identity::decode_link(key, std::string_view(value).substr(0, n)));
        CHECK_FALSE(identity::decode_link(key, value + "x"));
        CHECK_FALSE(identity::decode_link(key.substr(0, key.size() - 1), value));
    }
}

TEST_CASE("rows of days say the same as the days one by one") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random{seed};
    std::map<std::pair<identity::LinkClass, std::int32_t>, identity::LinkDays> rows;
    std::optional<identity::Evidence> one_by_one;
    for (std::size_t n = 1 + random.below(30); n > 0; --n) {
        const auto link_class = static_cast<identity::LinkClass>(1 + random.below(3));
        const auto day = static_cast<std::int32_t>(random.below(300)) - 50;
        const auto row = identity::link_day(link_class, day, 5);
        rows.try_emplace({link_class, row.first_day}, row).first->second.days |= row.days;
        const auto seen =
            identity::observation(link_class, cdp::timestamp_of(std::int64_t{day} * 86'400'000), 5);
        if (one_by_one)
            identity::join(*one_by_one, seen);
        else
            one_by_one = seen;
    }
    std::optional<identity::Evidence> by_rows;
    for (const auto& [key, row] : rows) {
        if (by_rows)
            identity::join(*by_rows, identity::evidence_of(row));
        else
            by_rows = identity::evidence_of(row);
    }
    CHECK(by_rows == one_by_one);
}

TEST_CASE("a retraction takes exactly the days of its range and source") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto first = static_cast<std::int32_t>(random.below(400)) - 200;
    const auto last = first + static_cast<std::int32_t>(random.below(150));
    const identity::Retraction range{
        random.one_in(2) ? std::optional<std::uint32_t>(7) : std::nullopt, first, last};
    auto row = identity::link_day(identity::LinkClass::cookie,
                                  static_cast<std::int32_t>(random.below(400)) - 200,
                                  random.one_in(2) ? 7 : 8);
    row.days |= random.next();
    const auto taken = range.days_of(row);
    for (int bit = 0; bit < 64; ++bit) {
        const auto day = row.first_day + bit;
        const bool is = (row.days >> bit & 1) != 0;
        CHECK((taken >> bit & 1) == (is && range.covers(row.source, day)));
    }
    CHECK(range.days_of(identity::hash_equality()) == 0);
}
