#include "cdp/sessions.h"

#include <algorithm>
#include <map>
#include <string>

#include "tests/support/any_order.h"
#include "tests/support/seeds.h"

namespace {

using namespace std::chrono_literals;
using cdp::Owner;
using cdp::Touch;

constexpr std::chrono::milliseconds kSession = 30min;

Owner owner(char letter) {
    Owner out;
    out.person.bytes[0] = static_cast<std::uint8_t>(letter);
    out.through.bytes[0] = static_cast<std::uint8_t>(letter);
    return out;
}

Touch touch(std::int64_t minute, std::uint8_t id, char letter = '-') {
    Touch out;
    out.place.time = cdp::Timestamp{std::chrono::minutes{minute}};
    out.place.id.bytes[15] = id;
    if (letter != '-') out.owner = owner(letter);
    return out;
}

// "-" nobody, a capital letter an owner, at the minutes given: oldest first.
std::string divided(const std::string& events, const std::vector<std::int64_t>& minutes) {
    std::vector<Touch> touches;
    for (std::size_t i = 0; i < events.size(); ++i)
        touches.push_back(touch(minutes[i], static_cast<std::uint8_t>(200 - i), events[i]));
    std::string out;
    for (const Touch& one : cdp::attribute(touches, kSession))
        out += one.owner ? static_cast<char>(one.owner->person.bytes[0]) : '-';
    std::ranges::reverse(out);
    return out;
}

// The rule in its own words, event by event, with nothing in common with the code.
std::optional<Owner> oracle(std::vector<Touch> all, const Touch& asked) {
    if (asked.owner) return asked.owner;
    std::ranges::sort(all, [](const Touch& a, const Touch& b) { return b.place.before(a.place); });
    const auto n = static_cast<std::ptrdiff_t>(all.size());
    const auto at = std::ranges::find(all, asked.place, &Touch::place) - all.begin();
    const auto time = [&](std::ptrdiff_t i) { return all[static_cast<std::size_t>(i)].place.time; };
    const auto is_owned = [&](std::ptrdiff_t i) {
        return all[static_cast<std::size_t>(i)].owner.has_value();
    };
    // The owned event a chain leads to from here in one direction.
    const auto neighbour = [&](std::ptrdiff_t from, int step) -> std::ptrdiff_t {
        for (auto i = from + step; i >= 0 && i < n; i += step) {
            if (std::chrono::abs(time(i) - time(i - step)) > kSession) return -1;
            if (is_owned(i)) return i;
        }
        return -1;
    };
    const auto near = [&](std::ptrdiff_t i, std::ptrdiff_t j) {
        return std::chrono::abs(time(i) - time(j)) <= cdp::kSessionReach;
    };
    auto left = neighbour(at, -1);
    auto right = neighbour(at, +1);
    if (left >= 0 && !near(left, at)) left = -1;
    if (right >= 0 && !near(right, at)) right = -1;
    if (left < 0 && right < 0) return std::nullopt;
    if (left < 0 || right < 0) return all[static_cast<std::size_t>(std::max(left, right))].owner;
    // Every event that both can have, and the gaps around them.
    std::ptrdiff_t largest = -1;
    for (auto i = left + 1; i <= right; ++i) {
        const bool touches_both = (i > left + 1 && near(left, i - 1) && near(right, i - 1)) ||
                                  (i < right && near(left, i) && near(right, i));
        if (!touches_both) continue;
        if (largest < 0 || time(i) - time(i - 1) >= time(largest) - time(largest - 1)) largest = i;
    }
    return all[static_cast<std::size_t>(at < largest ? left : right)].owner;
}

std::vector<Touch> random_touches(cdp::Random& random) {
    // Gaps from none to more than a session, and now and then a chain of a day.
    const bool dense = random.one_in(3);
    const std::uint64_t gap_max = dense ? 29 : 5 + random.below(60);
    std::vector<Touch> touches;
    std::int64_t minute = 0;
    for (std::uint64_t n = dense ? 40 + random.below(80) : random.below(30); n > 0; --n) {
        minute += static_cast<std::int64_t>(random.below(gap_max + 1));
        const bool owned = dense ? random.one_in(40) : random.one_in(4);
        const char letter = owned ? static_cast<char>('A' + random.below(3)) : '-';
        touches.push_back(touch(minute, static_cast<std::uint8_t>(touches.size()), letter));
        touches.back().filed = random.one_in(2);
    }
    return touches;
}

}  // namespace

TEST_CASE("an anonymous event joins the session it is in") {
    struct Row {
        const char* events;
        std::vector<std::int64_t> minutes;
        const char* owners;
    };
    // clang-format off
    const auto row = GENERATE(values<Row>({
        {"--A",    {0, 10, 20},                "AAA"},      // before the login
        {"A--",    {0, 10, 20},                "AAA"},
        {"-A",     {0, 30},                    "AA"},       // a pause of exactly a session
        {"-A",     {0, 31},                    "-A"},
        {"-A-",    {0, 31, 61},                "-AA"},
        {"---",    {0, 1, 2},                  "---"},
        {"A---B",  {0, 5, 10, 25, 30},         "AAABB"},    // the largest gap
        {"A---B",  {0, 5, 10, 15, 20},         "AAAAB"},    // equal ones: the later
        {"A-B",    {0, 10, 15},                "ABB"},
        {"A-B",    {0, 10, 20},                "AAB"},
        {"A--B",   {0, 0, 0, 0},               "AAAB"},     // all at once: the order of ids
        {"A---A",  {0, 5, 10, 25, 30},         "AAAAA"},
        {"A---B",  {0, 20, 60, 100, 120},      "AA-BB"},    // not chained through
        {"A---A",  {0, 20, 60, 100, 120},      "AA-AA"},
        {"A-B-C",  {0, 10, 12, 20, 21},        "ABBCC"},
    }));
    // clang-format on
    CAPTURE(row.events, row.minutes);
    CHECK(divided(row.events, row.minutes) == row.owners);
}

TEST_CASE("nothing further than twelve hours from an owned event is given to its owner") {
    std::string events = "A";
    std::vector<std::int64_t> minutes{0};
    for (std::int64_t m = 20; m <= 15 * 60; m += 20) {
        events += '-';
        minutes.push_back(m);
    }
    std::string owners = "A" + std::string(36, 'A') + std::string(9, '-');
    CHECK(divided(events, minutes) == owners);

    // With another owned event at the far end, each has what is near, and between them the largest
    // gap of what both reach divides.
    events += 'B';
    minutes.push_back(15 * 60 + 10);
    CHECK(divided(events, minutes) == "A" + std::string(36, 'A') + std::string(9, 'B') + "B");
}

TEST_CASE("the division is the rule in its own words, in any order and with repetitions") {
    const auto seed = GENERATE(tests::seeds(400));
    CAPTURE(seed);
    cdp::Random random{seed};
    auto touches = random_touches(random);
    const auto decided = cdp::attribute(touches, kSession);
    REQUIRE(decided.size() == touches.size());
    for (const Touch& one : decided) {
        const auto asked = std::ranges::find(touches, one.place, &Touch::place);
        CAPTURE(one.place.time.time_since_epoch().count());
        CHECK(one.filed == asked->filed);
        CHECK(one.owner == oracle(touches, *asked));
    }

    for (auto n = touches.size(); n > 0 && random.one_in(2); --n)
        touches.push_back(touches[random.below(touches.size())]);
    tests::shuffle(touches, random);
    CHECK(cdp::attribute(touches, kSession) == decided);
}

TEST_CASE("two histories a day apart do not know of each other") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto first = random_touches(random);
    auto second = random_touches(random);
    for (Touch& one : second) one.place.time += std::chrono::days{30};
    auto both = first;
    both.insert(both.end(), second.begin(), second.end());
    tests::shuffle(both, random);

    auto expected = cdp::attribute(second, kSession);
    const auto older = cdp::attribute(first, kSession);
    expected.insert(expected.end(), older.begin(), older.end());
    CHECK(cdp::attribute(both, kSession) == expected);
}

TEST_CASE("an event is decided by what lies within twelve hours of it") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random{seed};
    const auto touches = random_touches(random);
    for (const Touch& one : cdp::attribute(touches, kSession)) {
        auto near = touches;
        std::erase_if(near, [&](const Touch& other) {
            return std::chrono::abs(other.place.time - one.place.time) > cdp::kSessionReach;
        });
        const auto again = cdp::attribute(near, kSession);
        CHECK(*std::ranges::find(again, one.place, &Touch::place) == one);
    }
}
