#include "identity/explain.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

#include <catch2/catch.hpp>

#include "identity/neighbourhood.h"
#include "tests/identity/stored.h"
#include "tests/support/seeds.h"

namespace {

using identity::Apart;
using identity::AssertionKind;
using identity::Folded;
using identity::Hop;
using identity::Observation;
using tests::IdentityWorld;
using tests::Stored;

// What a store says about two identifiers.
class Asked {
public:
    Asked(Stored& stored, const cdp::Token& a, const cdp::Token& b)
        : snapshot_(stored.store().snapshot()), transaction_(*snapshot_, storage::kPartition) {
        auto rules = stored.graph().rules(transaction_);
        REQUIRE(rules);
        rules_ = std::move(*rules);
        near_.emplace(transaction_, rules_);
        const std::vector start{a, b};
        REQUIRE(near_->load(start));
        REQUIRE(near_->load_retracted());
        a_ = *near_->find(a);
        b_ = *near_->find(b);
    }

    Folded folded() const { return near_->folded(); }
    std::uint32_t a() const { return a_; }
    std::uint32_t b() const { return b_; }
    identity::Explanation answer() const { return identity::explain(folded(), a_, b_); }
    const cdp::Token& token(std::uint32_t node) const { return near_->members()[node].token; }

    identity::SeenWith seen_with(std::uint32_t node) {
        auto found =
            identity::seen_with(transaction_, rules_, token(node), near_->members()[node].node);
        REQUIRE(found);
        return *found;
    }

    // All that was said, in words that two stores have in common.
    std::string text() const {
        const auto explained = answer();
        std::string out = explained.same_person ? "one" : "two";
        for (std::size_t i = 0; i < explained.path.size(); ++i) {
            const Hop& hop = explained.path[i];
            out += "\n" + name(hop.from) + "-" + name(hop.to);
            if (hop.refused) out += " " + std::string(to_string(*hop.refused));
            if (hop.bridge) out += " bridge";
            if (explained.weakest == i) out += " weakest";
            if (hop.by == Hop::By::link) {
                const auto& evidence = folded().links[hop.at].evidence;
                out += " " + std::string(to_string(evidence.link_class)) + " " +
                       std::to_string(evidence.first_day) + ".." +
                       std::to_string(evidence.last_day) + " " + std::to_string(evidence.days);
                for (const auto source : evidence.sources) out += " " + std::to_string(source);
            }
            for (const auto& side : {clash_of(folded(), hop).from, clash_of(folded(), hop).to})
                for (const auto node : side) out += " (" + name(node) + ")";
        }
        return out;
    }

private:
    std::string name(std::uint32_t node) const {
        return cdp::to_hex(token(node).view()).substr(0, 6);
    }

    std::unique_ptr<storage::Snapshot> snapshot_;
    storage::Transaction transaction_;
    identity::Rules rules_;
    std::optional<identity::Neighbourhood> near_;
    std::uint32_t a_ = 0;
    std::uint32_t b_ = 0;
};

// Two ends and a place in the fold's order; what it is in.
struct Way {
    std::tuple<int, int, int, int, std::int64_t, cdp::Rank, cdp::Rank> order;
    std::uint32_t a, b;
    Hop::By by;
    std::uint32_t at;
};

Way way_of(const Folded& folded, std::uint32_t i) {
    const auto& link = folded.links[i];
    const auto& a = folded.nodes[link.a];
    const auto& b = folded.nodes[link.b];
    return {{1, static_cast<int>(link.evidence.link_class),
             static_cast<int>(std::min(a.type->link_class, b.type->link_class)),
             -std::popcount(link.evidence.days), -std::int64_t{link.evidence.last_day},
             std::min(a.rank, b.rank), std::max(a.rank, b.rank)},
            link.a,
            link.b,
            Hop::By::link,
            i};
}

// Everything that may hold people together: links and must-links that were not refused.
std::vector<Way> joining(const Folded& folded) {
    std::vector<Way> out;
    for (std::uint32_t i = 0; i < folded.links.size(); ++i)
        if (std::ranges::none_of(folded.partition.refused,
                                 [&](const auto& refused) { return refused.link == i; }))
            out.push_back(way_of(folded, i));
    for (std::uint32_t i = 0; i < folded.asserted.must.size(); ++i) {
        const auto& [a, b] = folded.asserted.must[i];
        if (std::ranges::count(folded.partition.must_refused, i) > 0) continue;
        out.push_back({{0, 0, 0, 0, 0, std::min(folded.nodes[a].rank, folded.nodes[b].rank),
                        std::max(folded.nodes[a].rank, folded.nodes[b].rank)},
                       a,
                       b,
                       Hop::By::must_link,
                       i});
    }
    std::ranges::sort(out, {}, &Way::order);
    return out;
}

bool connected(std::size_t nodes, std::span<const Way> ways, std::uint32_t a, std::uint32_t b) {
    std::vector<std::uint32_t> root(nodes);
    std::iota(root.begin(), root.end(), 0U);
    const auto find = [&](std::uint32_t i) {
        while (root[i] != i) i = root[i];
        return i;
    };
    for (const Way& way : ways) root[find(way.a)] = find(way.b);
    return find(a) == find(b);
}

// How few hops that do not join lead from one to the other; nullopt: there is no way.
std::optional<int> fewest_refused(const Folded& folded, std::uint32_t a, std::uint32_t b) {
    std::vector<std::tuple<std::uint32_t, std::uint32_t, int>> ways;
    for (const Way& way : joining(folded)) ways.emplace_back(way.a, way.b, 0);
    for (const auto& refused : folded.partition.refused)
        ways.emplace_back(folded.links[refused.link].a, folded.links[refused.link].b, 1);
    for (const auto i : folded.partition.must_refused)
        ways.emplace_back(folded.asserted.must[i].first, folded.asserted.must[i].second, 1);
    for (const auto& link : folded.retracted) ways.emplace_back(link.a, link.b, 1);
    constexpr int kFar = 1'000'000;
    std::vector<int> cost(folded.nodes.size(), kFar);
    cost[a] = 0;
    for (bool shorter = true; shorter;) {
        shorter = false;
        for (const auto& [x, y, c] : ways)
            for (const auto& [from, to] : {std::pair(x, y), std::pair(y, x)})
                if (cost[from] + c < cost[to]) {
                    cost[to] = cost[from] + c;
                    shorter = true;
                }
    }
    if (cost[b] >= kFar) return std::nullopt;
    return cost[b];
}

void check_chain(const Asked& asked, const std::vector<Hop>& path) {
    auto at = asked.a();
    for (const Hop& hop : path) {
        REQUIRE(hop.from == at);
        const auto ends = [&]() -> std::pair<std::uint32_t, std::uint32_t> {
            if (hop.by == Hop::By::must_link) return asked.folded().asserted.must[hop.at];
            const auto& link = hop.by == Hop::By::link ? asked.folded().links[hop.at]
                                                       : asked.folded().retracted[hop.at];
            return {link.a, link.b};
        }();
        CHECK(std::pair(std::minmax(hop.from, hop.to)) ==
              std::pair(std::minmax(ends.first, ends.second)));
        at = hop.to;
    }
    CHECK(at == asked.b());
}

void check_one_person(const Asked& asked) {
    const auto folded = asked.folded();
    const auto explained = asked.answer();
    check_chain(asked, explained.path);
    const auto ways = joining(folded);
    const auto position = [&](const Hop& hop) {
        return std::ranges::find_if(
                   ways, [&](const Way& way) { return way.by == hop.by && way.at == hop.at; }) -
               ways.begin();
    };
    std::ptrdiff_t last = -1;
    for (const Hop& hop : explained.path) {
        REQUIRE(hop.joins());
        last = std::max(last, position(hop));
        auto without = ways;
        without.erase(without.begin() + position(hop));
        CHECK(hop.bridge == !connected(folded.nodes.size(), without, asked.a(), asked.b()));
    }
    REQUIRE(explained.weakest.has_value() == (asked.a() != asked.b()));
    if (!explained.weakest) return;
    CHECK(position(explained.path[*explained.weakest]) == last);
    // Nothing better leads there: all that comes before the weakest hop does not.
    CHECK_FALSE(connected(folded.nodes.size(),
                          std::span(ways).first(static_cast<std::size_t>(last)), asked.a(),
                          asked.b()));
}

void check_two_persons(const Asked& asked) {
    const auto folded = asked.folded();
    const auto explained = asked.answer();
    CHECK_FALSE(explained.weakest);
    const auto fewest = fewest_refused(folded, asked.a(), asked.b());
    REQUIRE(explained.path.empty() == !fewest.has_value());
    if (!fewest) return;
    check_chain(asked, explained.path);
    CHECK(std::ranges::count_if(explained.path, [](const Hop& hop) { return !hop.joins(); }) ==
          *fewest);
    for (const Hop& hop : explained.path) {
        if (!hop.refused) continue;
        const auto clash = clash_of(folded, hop);
        if (hop.by == Hop::By::link)
            CHECK(std::ranges::any_of(folded.partition.refused, [&](const auto& refused) {
                return refused.link == hop.at && refused.reason == *hop.refused;
            }));
        else
            CHECK(std::ranges::count(folded.partition.must_refused, hop.at) == 1);
        if (*hop.refused == Apart::unique_type || *hop.refused == Apart::limit) {
            REQUIRE_FALSE((clash.from.empty() || clash.to.empty()));
            CHECK(folded.nodes[clash.from[0]].type->name == folded.nodes[clash.to[0]].type->name);
            CHECK(folded.partition.anchor[clash.from[0]] == folded.partition.anchor[hop.from]);
            CHECK(folded.partition.anchor[clash.to[0]] == folded.partition.anchor[hop.to]);
        }
        if (*hop.refused == Apart::cannot_link) {
            REQUIRE((clash.from.size() == 1 && clash.to.size() == 1));
            const auto pair = std::minmax(clash.from[0], clash.to[0]);
            CHECK(std::ranges::any_of(folded.asserted.cannot, [&](const auto& cannot) {
                return std::minmax(cannot.first, cannot.second) == pair;
            }));
        }
        if (*hop.refused == Apart::shared || *hop.refused == Apart::blocked ||
            *hop.refused == Apart::candidate)
            CHECK(clash.from.size() + clash.to.size() > 0);
    }
}

void assert_something(Stored& stored, cdp::Random& random) {
    std::vector<cdp::Token> known;
    for (const auto& [token, node] : stored.nodes()) known.push_back(token);
    const auto any = [&] { return known[random.below(known.size())]; };
    switch (random.below(5)) {
        case 0:
            stored.say({.kind = AssertionKind::must_link, .identifiers = {any(), any()}});
            break;
        case 1:
            stored.say({.kind = AssertionKind::cannot_link, .identifiers = {any(), any()}});
            break;
        case 2: stored.say({.kind = AssertionKind::block, .identifiers = {any()}}); break;
        case 3: stored.say({.kind = AssertionKind::shared, .identifiers = {any()}}); break;
        case 4: {
            identity::Assertion retraction{.kind = AssertionKind::retract, .identifiers = {}};
            retraction.range = {.source = 1 + static_cast<std::uint32_t>(random.below(3)),
                                .first_day = 0,
                                .last_day = static_cast<std::int32_t>(random.below(100))};
            stored.say(retraction);
            break;
        }
    }
}

Observation together(std::vector<identity::Sighting> sightings, int day = 1,
                     std::uint32_t source = 1) {
    return {std::move(sightings), {}, cdp::timestamp_of(std::int64_t{day} * 86'400'000), source};
}

}  // namespace

TEST_CASE(
    "two identifiers of one person are joined by the strongest path, two persons by the one "
    "that is refused least") {
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world(seed % 2 == 0 ? identity::Bounds{} : identity::Bounds{6, 9});
    Stored stored(world);
    for (const auto& event : world.random_observations(random, 10 + random.below(30)))
        stored.observe(event);
    for (std::size_t n = random.below(5); n > 0; --n) assert_something(stored, random);
    const auto nodes = stored.nodes();
    for (const auto& [a, one] : nodes)
        for (const auto& [b, other] : nodes) {
            if (!random.one_in(2)) continue;
            const Asked asked(stored, a, b);
            const bool same = a == b || (one.active && other.active && one.anchor == other.anchor);
            REQUIRE(asked.answer().same_person == same);
            if (same)
                check_one_person(asked);
            else if (a != b)
                check_two_persons(asked);
        }
}

TEST_CASE("events that come late, shuffled and more than once are explained the same") {
    const auto seed = GENERATE(tests::seeds(30));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world;
    auto events = world.random_observations(random, 40);
    Stored in_order(world);
    for (const auto& event : events) in_order.observe(event);
    for (int n = 0; n < 10; ++n) events.push_back(events[random.below(events.size())]);
    tests::shuffle(events, random);
    Stored shuffled(world);
    for (const auto& event : events) shuffled.observe(event);
    const auto nodes = in_order.nodes();
    for (const auto& [a, one] : nodes)
        for (const auto& [b, other] : nodes)
            if (random.one_in(10))
                REQUIRE(Asked(in_order, a, b).text() == Asked(shuffled, a, b).text());
}

TEST_CASE("a hop that another link makes up for is no bridge") {
    const IdentityWorld world;
    Stored stored(world);
    const auto user = world.sighting("user_id", "u1");
    const auto email = world.sighting("email", "a@shop.example");
    const auto cookie = world.sighting("anonymous_id", "a1");
    stored.observe(together({user, email}));
    stored.observe(together({email, cookie}));
    Asked asked(stored, user.token, cookie.token);
    REQUIRE(asked.answer().path.size() == 2);
    CHECK(asked.answer().path[0].bridge);
    CHECK(asked.answer().path[1].bridge);
    CHECK(asked.answer().weakest == 1);

    stored.observe(together({user, cookie}));
    const auto explained = Asked(stored, email.token, cookie.token).answer();
    REQUIRE(explained.path.size() == 2);
    CHECK_FALSE(explained.path[1].bridge);
    CHECK_FALSE(explained.path[0].bridge);
}

TEST_CASE("two accounts on one cookie are apart because of the cookie, which both hops show") {
    const IdentityWorld world;
    Stored stored(world);
    const auto cookie = world.sighting("anonymous_id", "a1");
    for (const char* id : {"u1", "u2"})
        stored.observe(together({world.sighting("user_id", id), cookie}));
    Asked asked(stored, world.sighting("user_id", "u1").token,
                world.sighting("user_id", "u2").token);
    const auto path = asked.answer().path;
    REQUIRE(path.size() == 2);
    CHECK(path[0].refused == Apart::shared);
    CHECK(path[1].refused == Apart::shared);
    CHECK(asked.token(clash_of(asked.folded(), path[0]).to.at(0)) == cookie.token);
    const auto seen = asked.seen_with(path[0].to);
    CHECK(seen.others.accounts == 2);
    CHECK(seen.because == "accounts");
    CHECK_FALSE(seen.more);
}

TEST_CASE("two accounts of one address are apart because a person has one account") {
    const IdentityWorld world;
    Stored stored(world);
    const auto email = world.sighting("email", "a@shop.example");
    const auto first = world.sighting("user_id", "u1");
    const auto second = world.sighting("user_id", "u2");
    stored.observe(together({first, email}, 1));
    stored.observe(together({first, email}, 2));
    stored.observe(together({second, email}, 3));
    Asked asked(stored, first.token, second.token);
    const auto path = asked.answer().path;
    REQUIRE(path.size() == 2);
    CHECK(path[0].joins());
    REQUIRE(path[1].refused == Apart::unique_type);
    const auto clash = clash_of(asked.folded(), path[1]);
    CHECK(asked.token(clash.from.at(0)) == first.token);
    CHECK(asked.token(clash.to.at(0)) == second.token);

    REQUIRE(stored.say({.kind = AssertionKind::must_link,
                        .identifiers = {first.token, second.token}}) == "");
    const auto cured = Asked(stored, first.token, second.token).answer();
    REQUIRE(cured.same_person);
    CHECK(cured.path.at(0).by == Hop::By::must_link);
    REQUIRE(stored.revoke(stored.last()) == "");
    CHECK(Asked(stored, first.token, second.token).answer().path == path);
}

TEST_CASE("what was taken back is named where it would connect") {
    const IdentityWorld world;
    Stored stored(world);
    const auto user = world.sighting("user_id", "u1");
    const auto cookie = world.sighting("anonymous_id", "a1");
    stored.observe(together({user, cookie}, 5, 7));
    const auto whole_source = GENERATE(true, false);
    identity::Assertion retraction{.kind = AssertionKind::retract, .identifiers = {}};
    if (whole_source)
        retraction.range = {.source = 7, .first_day = 0, .last_day = 9};
    else
        retraction.identifiers = {user.token, cookie.token};
    REQUIRE(stored.say(retraction) == "");
    const Asked asked(stored, user.token, cookie.token);
    const auto explained = asked.answer();
    CHECK_FALSE(explained.same_person);
    REQUIRE(explained.path.size() == 1);
    CHECK(explained.path[0].by == Hop::By::retracted);
    CHECK(asked.folded().retracted[0].evidence.first_day == 5);
}

TEST_CASE("of two it is known what took their link, and of others what was found besides") {
    const IdentityWorld world;
    Stored stored(world);
    const auto user = world.sighting("user_id", "u1");
    const auto cookie = world.sighting("anonymous_id", "a1");
    const auto email = world.sighting("email", "a@shop.example");
    stored.observe(together({user, cookie}, 5, 7));
    stored.observe(together({email}, 5, 7));
    const auto take = [&](std::int32_t first, std::int32_t last) {
        identity::Assertion range{.kind = AssertionKind::retract, .identifiers = {}};
        range.range = {.source = 7, .first_day = first, .last_day = last};
        REQUIRE(stored.say(range) == "");
        return stored.last();
    };
    take(6, 9);

    const auto snapshot = stored.store().snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto found = identity::AssertionId::from("sixteen bytes it");
    const auto day = identity::link_day(identity::LinkClass::cookie, 5, 7);
    {
        auto rules = stored.graph().rules(transaction);
        REQUIRE(rules);
        identity::Neighbourhood near(transaction, *rules);
        REQUIRE(near.load(std::vector{user.token, email.token}));
        REQUIRE(near.load_retracted());
        CHECK(near.taken().empty());
        near.add_taken(std::vector<identity::Taking>{{user.token, cookie.token, day, found},
                                                     {email.token, cookie.token, day, found}});
        REQUIRE(near.taken().size() == 2);
        REQUIRE(near.folded().retracted.size() == 1);
        CHECK(near.retracted(0).by == std::vector{found});
        for (const auto* link : near.taken())
            CHECK(near.linked(*link) == (link->a != email.token && link->b != email.token));
    }

    auto both = std::vector{take(5, 5), take(0, 5)};
    const auto later = stored.store().snapshot();
    storage::Transaction reading(*later, storage::kPartition);
    auto rules = stored.graph().rules(reading);
    REQUIRE(rules);
    identity::Neighbourhood near(reading, *rules);
    REQUIRE(near.load(std::vector{user.token, cookie.token}));
    REQUIRE(near.load_retracted());
    std::ranges::sort(both);
    REQUIRE(near.folded().retracted.size() == 1);
    CHECK(near.retracted(0).by == both);
    CHECK(near.retracted(0).evidence.first_day == 5);
}

TEST_CASE("two identifiers that nobody is of are connected by what both were seen in") {
    const IdentityWorld world;
    Stored stored(world);
    const auto one = world.sighting("device_id", "d1");
    const auto other = world.sighting("anonymous_id", "a1");
    stored.observe(together({one, other}));
    for (const auto& end : {one, other})
        REQUIRE(stored.say({.kind = AssertionKind::block, .identifiers = {end.token}}) == "");
    const auto path = Asked(stored, one.token, other.token).answer().path;
    REQUIRE(path.size() == 1);
    CHECK(path[0].refused == Apart::blocked);
}

TEST_CASE("those who were never seen near each other are not connected") {
    const IdentityWorld world;
    Stored stored(world);
    const auto one = world.sighting("user_id", "u1");
    const auto other = world.sighting("user_id", "u2");
    stored.observe(together({one, world.sighting("anonymous_id", "a1")}));
    stored.observe(together({other, world.sighting("anonymous_id", "a2")}));
    const auto explained = Asked(stored, one.token, other.token).answer();
    CHECK_FALSE(explained.same_person);
    CHECK(explained.path.empty());
}

TEST_CASE("of an identifier that everybody sends a bounded number of others is counted") {
    const IdentityWorld world;
    Stored stored(world);
    const auto badge = world.sighting("shop.badge", "b1");
    std::vector<Observation> all;
    for (int i = 0; i < 300; ++i)
        all.push_back(together({world.sighting("anonymous_id", "a" + std::to_string(i)), badge}));
    stored.observe_together(all);
    Asked asked(stored, badge.token, world.sighting("anonymous_id", "a7").token);
    const auto path = asked.answer().path;
    REQUIRE(path.size() == 1);
    CHECK(path[0].refused == Apart::shared);
    const auto seen = asked.seen_with(asked.a());
    CHECK(seen.more);
    CHECK(seen.because == "all");
    CHECK(seen.others.cookies == identity::kNeighboursMax + 1);
}
