#include "identity/graph.h"

#include <algorithm>
#include <set>
#include <span>

#include <catch2/catch.hpp>

#include "identity/component.h"
#include "storage/key.h"
#include "tests/identity/world.h"
#include "tests/support/seeds.h"

namespace {

using identity::Evidence;
using identity::Observation;
using tests::IdentityWorld;
using tests::Place;
using tests::Places;

// The graph on a store of its own.
class Stored {
public:
    explicit Stored(const IdentityWorld& world)
        : store_(storage::make_memory_store()), graph_(*store_, world.vault(), world.types()) {}

    // Whether it needed the fold.
    bool observe(const Observation& observation) { return observe_together({&observation, 1}); }

    bool observe_together(std::span<const Observation> observations) {
        const auto snapshot = store_->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        std::vector<cdp::Token> unsettled;
        std::vector<identity::Observed::Said> said;
        for (const auto& observation : observations) {
            auto observed = graph_.observe(*snapshot, transaction, observation);
            REQUIRE(observed);
            unsettled.insert(unsettled.end(), observed->unsettled.begin(),
                             observed->unsettled.end());
            if (observed->said) said.push_back(std::move(*observed->said));
        }
        REQUIRE(graph_.settle(transaction, unsettled, cdp::timestamp_of(++now_)));
        const auto outcome = storage::commit_and_wait(*store_, std::move(transaction));
        REQUIRE(outcome.state == storage::CommitState::ok);
        for (auto& one : said) graph_.committed(std::move(one), outcome.version);
        return !unsettled.empty();
    }

    Places places() const {
        Places out;
        const auto snapshot = store_->snapshot();
        const std::string prefix{0, 0, static_cast<char>(storage::Space::node)};
        REQUIRE(snapshot->scan(prefix, "", [&](std::string_view key, std::string_view value) {
            const auto node = identity::decode_node(value);
            if (!node) return false;
            out[cdp::Token::from(key.substr(3, 16))] = {node->anchor, node->shared, node->active};
            return true;
        }));
        return out;
    }

    std::set<std::pair<cdp::Token, cdp::Token>> members() const {
        std::set<std::pair<cdp::Token, cdp::Token>> out;
        const auto snapshot = store_->snapshot();
        const std::string prefix{0, 0, static_cast<char>(storage::Space::member)};
        REQUIRE(snapshot->scan(prefix, "", [&](std::string_view key, std::string_view) {
            out.emplace(cdp::Token::from(key.substr(3, 16)), cdp::Token::from(key.substr(19, 16)));
            return true;
        }));
        return out;
    }

    std::map<std::string, std::string> evidence() const {
        std::map<std::string, std::string> out;
        const auto snapshot = store_->snapshot();
        const std::string prefix{0, 0, static_cast<char>(storage::Space::link)};
        REQUIRE(snapshot->scan(prefix, "", [&](std::string_view key, std::string_view value) {
            out.emplace(key, value);
            return true;
        }));
        return out;
    }

private:
    std::unique_ptr<storage::Store> store_;
    identity::Graph graph_;
    std::int64_t now_ = 0;
};

// The same question answered in one go: every identifier and link of all observations in one fold.
class AllAtOnce {
public:
    AllAtOnce(const IdentityWorld& world, const std::vector<Observation>& observations)
        : world_(world) {
        for (const auto& observation : observations) add(observation);
    }

    Places places() const {
        std::vector<identity::FoldNode> nodes;
        for (const auto& token : order_) {
            const auto& known = known_.at(token);
            const auto twin = known.twin ? index(*known.twin) : -1;
            nodes.push_back({known.rank, &known.type, known.seen, twin});
        }
        std::vector<identity::FoldLink> links;
        for (const auto& [pair, evidence] : links_)
            links.push_back({static_cast<std::uint32_t>(index(pair.first)),
                             static_cast<std::uint32_t>(index(pair.second)), evidence});
        const auto partition = identity::fold(nodes, links);
        Places out;
        for (std::size_t i = 0; i < order_.size(); ++i)
            out[order_[i]] = {order_[partition.anchor[i]], partition.shared[i],
                              partition.active[i]};
        return out;
    }

private:
    struct Known {
        identity::IdentifierType type;
        cdp::Rank rank;
        bool seen = false;
        std::optional<cdp::Token> twin;
    };

    void add(const Observation& o) {
        for (const auto& s : o.sightings) know(s).seen = true;
        for (std::size_t a = 0; a < o.sightings.size(); ++a)
            for (std::size_t b = a + 1; b < o.sightings.size(); ++b)
                link(o, o.sightings[a], o.sightings[b]);
        if (!o.alias) return;
        for (const auto* s : {&o.alias->account, &o.alias->cookie}) {
            auto& known = know(*s);
            known.twin = (s == &o.alias->account ? o.alias->cookie : o.alias->account).token;
            if (std::ranges::none_of(o.sightings, [&](auto& t) { return t.token == s->token; }))
                link(o, o.sightings[0], *s);
        }
    }

    Known& know(const identity::Sighting& s) {
        auto [at, fresh] = known_.try_emplace(s.token);
        if (fresh) {
            at->second.type = world_.types().find(s.identifier.type);
            at->second.rank = world_.vault().rank(s.identifier.type, s.identifier.value);
            order_.push_back(s.token);
        }
        return at->second;
    }

    void link(const Observation& o, const identity::Sighting& a, const identity::Sighting& b) {
        const auto seen = identity::observation(
            std::max(a.identifier.link_class, b.identifier.link_class), o.time, o.source);
        const auto [at, fresh] = links_.try_emplace(std::minmax(a.token, b.token), seen);
        if (!fresh) identity::join(at->second, seen);
    }

    int index(const cdp::Token& token) const {
        const auto at = std::ranges::find(order_, token);
        return at == order_.end() ? -1 : static_cast<int>(at - order_.begin());
    }

    const IdentityWorld& world_;
    std::map<cdp::Token, Known> known_;
    std::vector<cdp::Token> order_;
    std::map<std::pair<cdp::Token, cdp::Token>, Evidence> links_;
};

std::set<std::pair<cdp::Token, cdp::Token>> members_of(const Places& places) {
    std::set<std::pair<cdp::Token, cdp::Token>> out;
    for (const auto& [token, place] : places)
        if (place.active) out.emplace(place.anchor, token);
    return out;
}

}  // namespace

TEST_CASE("what is stored after every event is the fold of all evidence so far") {
    const auto seed = GENERATE(tests::seeds(60));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world;
    const auto all = world.random_observations(random, 40);
    Stored stored(world);
    std::vector<Observation> so_far;
    for (const auto& observation : all) {
        stored.observe(observation);
        so_far.push_back(observation);
        const auto places = stored.places();
        REQUIRE(places == AllAtOnce(world, so_far).places());
        REQUIRE(stored.members() == members_of(places));
    }
}

TEST_CASE("any order, repetition and delay of the same events gives the same persons") {
    const auto seed = GENERATE(tests::seeds(150));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world;
    auto events = world.random_observations(random, 10 + random.below(60));
    Stored in_order(world);
    for (const auto& event : events) in_order.observe(event);

    for (std::size_t n = random.below(20); n > 0; --n)
        events.push_back(events[random.below(events.size())]);
    tests::shuffle(events, random);
    Stored shuffled(world);
    for (std::span<const Observation> rest = events; !rest.empty();) {
        const auto together = std::min<std::size_t>(rest.size(), 1 + random.below(5));
        shuffled.observe_together(rest.first(together));
        rest = rest.subspan(together);
    }

    CHECK(shuffled.places() == in_order.places());
    CHECK(shuffled.evidence() == in_order.evidence());
    CHECK(shuffled.members() == in_order.members());
}

TEST_CASE("nobody has two accounts") {
    const auto seed = GENERATE(tests::seeds(50));
    CAPTURE(seed);
    cdp::Random random{seed};
    const IdentityWorld world;
    Stored stored(world);
    for (const auto& event : world.random_observations(random, 80)) stored.observe(event);
    const auto places = stored.places();
    std::map<cdp::Token, int> accounts;
    for (int u = 0; u < 5; ++u) {
        const auto at = places.find(world.vault().token("user_id", "u" + std::to_string(u)));
        if (at != places.end() && at->second.active) ++accounts[at->second.anchor];
    }
    for (const auto& [anchor, n] : accounts) CHECK(n == 1);
}

TEST_CASE("an event that says nothing new needs no fold") {
    const IdentityWorld world;
    Stored stored(world);
    Observation event{{world.sighting("user_id", "u1"), world.sighting("anonymous_id", "a1")},
                      {},
                      cdp::timestamp_of(86'400'000),
                      1};
    CHECK(stored.observe(event));
    CHECK_FALSE(stored.observe(event));
    event.sightings[1] = world.sighting("anonymous_id", "a2");  // a new cookie joins the account
    CHECK_FALSE(stored.observe(event));
    event.sightings[0] = world.sighting("user_id", "u2");  // the cookie is seen with a second one
    CHECK(stored.observe(event));
    const auto places = stored.places();
    CHECK(places.at(world.vault().token("anonymous_id", "a2")).shared);
    CHECK_FALSE(places.at(world.vault().token("anonymous_id", "a1")).shared);
}

TEST_CASE("an alias names a cookie unless the name was seen as an account") {
    const IdentityWorld world;
    Stored stored(world);
    const auto user = [&](const char* id) { return world.vault().token("user_id", id); };
    const auto cookie = [&](const char* id) { return world.vault().token("anonymous_id", id); };
    stored.observe({{world.sighting("user_id", "u1")},
                    identity::Observation::Alias{world.sighting("user_id", "x"),
                                                 world.sighting("anonymous_id", "x")},
                    cdp::timestamp_of(0),
                    1});
    CHECK(stored.places().at(cookie("x")) == Place{user("u1"), false, true});
    CHECK_FALSE(stored.places().at(user("x")).active);

    stored.observe({{world.sighting("user_id", "x")}, {}, cdp::timestamp_of(0), 1});
    CHECK_FALSE(stored.places().at(cookie("x")).active);
    CHECK(stored.places().at(user("x")) == Place{user("x"), false, true});  // two accounts stay two
}

TEST_CASE("an e-mail address seen with three accounts is nobody's") {
    const IdentityWorld world;
    Stored stored(world);
    for (const char* id : {"u1", "u2", "u3"}) {
        const auto before = stored.places();
        const auto email = before.find(world.vault().token("email", "e@shop.example"));
        if (email != before.end()) CHECK_FALSE(email->second.shared);
        stored.observe({{world.sighting("user_id", id), world.sighting("email", "e@shop.example")},
                        {},
                        cdp::timestamp_of(0),
                        1});
    }
    const auto email = world.vault().token("email", "e@shop.example");
    CHECK(stored.places().at(email) == Place{email, true, true});
}

TEST_CASE("a value that a thousand others were seen with names nobody") {
    const IdentityWorld world;
    Stored stored(world);
    const auto badge = world.sighting("shop.badge", "everybody");
    const auto see = [&](std::uint32_t n) {
        stored.observe({{badge, world.sighting("anonymous_id", "a" + std::to_string(n))},
                        {},
                        cdp::timestamp_of(0),
                        1});
    };
    for (std::uint32_t n = 0; n < identity::kNeighboursMax; ++n) see(n);
    CHECK_FALSE(stored.places().at(badge.token).shared);
    see(identity::kNeighboursMax);
    const auto places = stored.places();
    CHECK(places.at(badge.token).shared);
    const auto cookie = world.vault().token("anonymous_id", "a0");
    CHECK(places.at(cookie).anchor == cookie);
}

TEST_CASE("an account's own address stays with it when two accounts share a phone") {
    // Whatever the ranks of the values: each seed has other ones.
    const auto seed = GENERATE(tests::seeds(20));
    CAPTURE(seed);
    const IdentityWorld world;
    Stored stored(world);
    const auto name = [&](const char* prefix) { return prefix + std::to_string(seed); };
    const auto phone = world.sighting("phone", name("+49"));
    for (const char* who : {"a", "b"})
        stored.observe({{world.sighting("user_id", name(who)),
                         world.sighting("email", name(who) + "@shop.example"), phone},
                        {},
                        cdp::timestamp_of(0),
                        1});
    const auto places = stored.places();
    for (const char* who : {"a", "b"}) {
        const auto account = world.vault().token("user_id", name(who));
        CHECK(places.at(world.vault().token("email", name(who) + "@shop.example")).anchor ==
              account);
    }
}
