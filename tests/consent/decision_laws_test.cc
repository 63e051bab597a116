#include <algorithm>

#include <catch2/catch.hpp>

#include "consent/decision.h"
#include "tests/consent/oracle.h"
#include "tests/consent/random_world.h"
#include "tests/support/seeds.h"

// Laws over random histories. Each seed stands for a hundred worlds, for Catch2 takes longer than
// they.
namespace {

using namespace consent;
using tests::day;
using tests::Oracle;
using tests::random_datum;
using tests::random_world;
using tests::RandomWorld;
using tests::Slip;

constexpr int kWorlds = 100;

const std::vector<std::string> kAll = {"ads", "ads/social", "scoring", "news", "orders", "tax"};
const std::vector<std::string> kOfPersons = {"ads", "ads/social", "scoring"};
const std::vector<std::string> kOfConsent = {"ads", "ads/social", "scoring", "news"};

const Policy& policy() {
    static const Policy policy = tests::policy();
    return policy;
}

Decision decide(const RandomWorld& world, const Datum& datum) {
    return Judge(policy(), world.members, world.question).decide(datum);
}

// How many of the worlds of a seed the product and the oracle see differently.
int disagreements(std::uint64_t seed, Slip slip) {
    cdp::Random random(seed);
    int found = 0;
    for (int i = 0; i < kWorlds; ++i) {
        auto world = random_world(random, kAll);
        tests::suppress_some(random, world);
        const auto datum = random_datum(random, world.members);
        const auto decision = decide(world, datum);
        if (decision.reason != Oracle(policy(), world.members, world.question, slip).decide(datum))
            ++found;
    }
    return found;
}

TEST_CASE("decisions are those of the rules said as sentences") {
    const auto seed = GENERATE(tests::seeds(400));
    CAPTURE(seed);
    CHECK(disagreements(seed, Slip::none) == 0);
}

TEST_CASE("the comparison with the rules notices every slip") {
    for (auto slip = Slip::grants_win_ties; slip <= Slip::last;
         slip = static_cast<Slip>(static_cast<int>(slip) + 1)) {
        int noticed = 0;
        for (std::uint64_t seed = 1; noticed == 0 && seed <= 3000; ++seed)
            noticed += disagreements(seed, slip);
        CAPTURE(static_cast<int>(slip));
        CHECK(noticed > 0);
    }
}

TEST_CASE("order and repetition of facts and identifiers change nothing") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kAll);
        const auto datum = random_datum(random, world.members);
        auto mixed = world;
        const auto shuffle = [&](auto& list) {
            for (std::size_t n = list.size(); n > 1; --n)
                std::swap(list[n - 1], list[random.below(n)]);
        };
        for (auto& member : mixed.members) {
            if (!member.facts.empty()) member.facts.push_back(tests::pick(random, member.facts));
            shuffle(member.facts);
        }
        shuffle(mixed.members);
        CHECK(decide(mixed, datum) == decide(world, datum));
    }
}

void forget_overrides(RandomWorld& world) {
    for (auto& member : world.members)
        for (auto& fact : member.facts) fact.overrides.clear();
}

TEST_CASE("a merge never widens what a person allows, and undone leaves no trace") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto merged = random_world(random, kOfPersons);
        auto part = merged;
        std::erase_if(part.members, [&](const Member&) { return random.one_in(2); });
        if (part.members.empty()) continue;
        const auto datum = random_datum(random, part.members);
        const auto before = decide(part, datum);
        // By name a denial can be taken back across identifiers, and by nothing else.
        if (decide(merged, datum).allowed() && !before.allowed()) {
            forget_overrides(merged);
            CHECK_FALSE(decide(merged, datum).allowed());
        }
        CHECK(decide(part, datum) == before);
    }
}

TEST_CASE("what is said where others are too changes nothing elsewhere") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kAll);
        const auto datum = random_datum(random, world.members);
        auto silent = world;
        auto& kiosk = silent.members[5];
        REQUIRE(kiosk.shared);
        if (kiosk.token == datum.home || kiosk.token == datum.value) continue;
        kiosk.facts.clear();
        CHECK(decide(silent, datum).reason == decide(world, datum).reason);
    }
}

TEST_CASE("whom an operator splits off opens nothing that was closed before, until released") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto split = random_world(random, kOfPersons);
        auto& former = split.members.back();
        former.quarantined_until_released = day(2 * tests::kDays);
        auto whole = split;
        whole.members.back().quarantined_until_released.reset();
        auto released = split;
        released.members.pop_back();
        const auto datum = random_datum(random, released.members);
        const auto decision = decide(split, datum);
        if (!decision.allowed()) continue;
        CHECK(decide(whole, datum).allowed());
        CHECK(decide(released, datum).allowed());
    }
}

TEST_CASE("what was imported without evidence takes no denial back") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kOfPersons);
        const auto datum = random_datum(random, world.members);
        const auto before = decide(world, datum).reason;
        const bool refused = before == Reason::denied || before == Reason::withdrawn ||
                             before == Reason::objected || before == Reason::restricted;
        if (!refused) continue;
        auto imported = world;
        for (auto& member : imported.members) {
            Fact grant{.id = tests::record_id(random.next()), .purpose = world.question.purpose};
            grant.state = State::granted;
            grant.origin = Origin::officer;
            grant.time = world.question.now;
            grant.unproven = true;
            member.facts.push_back(grant);
        }
        CHECK_FALSE(decide(imported, datum).allowed());
    }
}

TEST_CASE("the newest word being a person's denial, everything of the person is refused") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto world = random_world(random, kOfConsent);
        world.question.jurisdictions.clear();  // nothing is refused where the law demands it
        Fact denial = tests::random_fact(random, world.question.purpose);
        denial.state =
            tests::pick<State>(random, {State::denied, State::withdrawn, State::objected});
        denial.purpose = world.question.purpose;
        denial.channels.clear();
        denial.labels.clear();
        denial.scope = Scope::person;
        denial.time = world.question.now;
        world.members[random.below(5)].facts.push_back(denial);  // the sixth is shared
        const auto reason = decide(world, random_datum(random, world.members)).reason;
        CHECK((reason == Reason::denied || reason == Reason::withdrawn ||
               reason == Reason::objected || reason == Reason::restricted ||
               reason == Reason::identifier_unknown));
    }
}

TEST_CASE("a grant opens nothing but what was collected under, or is, the identifier it names") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kOfPersons);
        const auto datum = random_datum(random, world.members);
        auto wider = world;
        Fact grant = tests::random_fact(random, world.question.purpose);
        grant.state = State::granted;
        grant.jurisdiction.clear();  // where it was given may ask for more
        if (grant.scope == Scope::person)
            grant.scope = Scope::device;  // that one may lift a denial
        auto& member = wider.members[random.below(wider.members.size())];
        if (member.token == datum.home || member.token == datum.value) continue;
        member.facts.push_back(grant);
        CHECK(decide(wider, datum).reason == decide(world, datum).reason);
    }
}

TEST_CASE("a denial more never allows more") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kAll);
        const auto datum = random_datum(random, world.members);
        auto narrower = world;
        Fact denial = tests::random_fact(random, world.question.purpose);
        denial.state = State::withdrawn;
        denial.jurisdiction.clear();
        narrower.members[random.below(6)].facts.push_back(denial);
        if (decide(narrower, datum).allowed()) CHECK(decide(world, datum).allowed());
    }
}

TEST_CASE("what is said about other purposes and to other channels changes nothing") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kAll);
        const auto datum = random_datum(random, world.members);
        auto more = world;
        for (int n = 0; n < 4; ++n) {
            Fact fact = tests::random_fact(random, "elsewhere");
            if (random.one_in(2))
                fact.channels = {"other"};
            else
                fact.purpose = world.question.purpose + "/below";
            more.members[random.below(6)].facts.push_back(fact);
        }
        CHECK(decide(more, datum) == decide(world, datum));
    }
}

TEST_CASE("captured under a denial, a datum stays refused whatever is granted afterwards") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    int met = 0;
    for (int i = 0; i < kWorlds; ++i) {
        auto world = random_world(random, kOfConsent);
        world.question.jurisdictions.clear();  // a law may ask for no consent
        world.question.now = day(tests::kDays + 1);
        auto datum = random_datum(random, world.members);
        datum.value.reset();
        if (datum.home == world.members.back().token) continue;  // not the person's any more
        if (!Oracle(policy(), world.members, world.question).denied_when_captured(datum)) continue;
        ++met;
        for (auto& member : world.members) {
            Fact grant{.id = tests::record_id(1), .purpose = world.question.purpose};
            grant.state = State::granted;
            grant.origin = Origin::officer;
            grant.time = datum.captured + std::chrono::milliseconds(1);
            member.facts.push_back(grant);
            grant.time = world.question.now;
            member.facts.push_back(grant);
        }
        CHECK_FALSE(decide(world, datum).allowed());
    }
    CHECK(met > 0);
}

TEST_CASE("until it says it may change, a decision does not") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto world = random_world(random, kAll);
        const auto datum = random_datum(random, world.members);
        const auto decision = decide(world, datum);
        const auto end = decision.changes_at.value_or(day(3 * tests::kDays));
        // A datum of the future is captured when its day has come; that is not the facts' doing.
        if (datum.captured > world.question.now) continue;
        for (auto& now = world.question.now; now < end; now += std::chrono::hours(6))
            CHECK(decide(world, datum).reason == decision.reason);
    }
}

TEST_CASE("the evidence of a decision is what was said, and says what the reason says") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto world = random_world(random, kOfConsent);
        const auto decision = decide(world, random_datum(random, world.members));
        using enum Reason;
        const bool none = decision.reason == never_asked || decision.reason == not_objected ||
                          decision.reason == legal_obligation ||
                          decision.reason == identifier_unknown;
        if (decision.reason == quiet_hours) continue;  // rests on what allows it
        REQUIRE(decision.evidence.has_value() != none);
        if (none) continue;
        const auto supports = [&](const Fact& fact) {
            if (fact.id != decision.evidence) return false;
            const bool opens = fact.state == State::granted;
            switch (decision.reason) {
                case captured_under_denial:
                case quarantined: return is_denial(fact.state);
                case expired: return opens || fact.state == State::expired;
                case pending_doi: return opens || fact.state == State::pending_doi;
                case reconfirm_overdue:
                case guardian_missing: return opens;
                default: return to_string(fact.state) == to_string(decision.reason);
            }
        };
        CHECK(std::ranges::any_of(world.members, [&](const Member& member) {
            return std::ranges::any_of(member.facts, supports);
        }));
    }
}

// Under somebody of the person who is not shared; quarantined or not.
void suppress_person(cdp::Random& random, RandomWorld& world) {
    auto& member = world.members[random.below(5)];
    REQUIRE_FALSE(member.shared);
    auto said = tests::random_suppression(random);
    said.scope = SuppressionScope::person;
    member.suppressions.push_back(said);
}

TEST_CASE("suppressed, nothing of a person is allowed, whatever is or was said or comes later") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto world = random_world(random, kAll);
        suppress_person(random, world);
        const auto datum = random_datum(random, world.members);
        CHECK(decide(world, datum).reason == Reason::suppressed);
        for (auto& member : world.members) {
            Fact grant{.id = tests::record_id(random.next()), .purpose = world.question.purpose};
            grant.state = State::granted;
            grant.origin = Origin::officer;
            grant.time = world.question.now;
            for (const auto& fact : member.facts) grant.overrides.push_back(fact.id);
            for (const auto& said : member.suppressions) grant.overrides.push_back(said.id);
            member.facts.push_back(grant);
        }
        CHECK(decide(world, datum).reason == Reason::suppressed);
        const Judge judge(policy(), world.members, world.question);
        for (const auto& member : world.members)
            CHECK(judge.standing(member.token).reason == Reason::suppressed);
    }
}

TEST_CASE("a suppressed contact point leaves nowhere, and takes nothing else with it") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        const auto free = random_world(random, kAll);
        auto world = free;
        auto& member = world.members[random.below(world.members.size())];
        const auto named = member.token;
        member.suppressions.push_back(tests::random_suppression(random));
        member.suppressions.back().scope = SuppressionScope::identifier;
        auto datum = random_datum(random, world.members);
        if (datum.value != named) CHECK(decide(world, datum) == decide(free, datum));
        datum.value = named;
        CHECK(decide(world, datum).reason == Reason::suppressed);
    }
}

TEST_CASE("merging with somebody suppressed, or splitting off who is, opens nothing") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto whole = random_world(random, kAll);
        tests::suppress_some(random, whole);
        auto part = whole;
        std::erase_if(part.members, [&](const Member&) { return random.one_in(2); });
        if (part.members.empty()) continue;
        const auto datum = random_datum(random, part.members);
        if (decide(part, datum).reason == Reason::suppressed)
            CHECK(decide(whole, datum).reason == Reason::suppressed);

        auto split = whole;
        auto& former = split.members[random.below(5)];
        former.quarantined_until_released = day(tests::kDays);
        if (former.token == datum.home || former.token == datum.value) continue;
        if (decide(whole, datum).reason == Reason::suppressed)
            CHECK(decide(split, datum).reason == Reason::suppressed);
    }
}

TEST_CASE("the order of suppressions changes nothing, and their end is foretold") {
    const auto seed = GENERATE(tests::seeds(100));
    CAPTURE(seed);
    cdp::Random random(seed);
    for (int i = 0; i < kWorlds; ++i) {
        auto world = random_world(random, kAll);
        for (int n = 0; n < 3; ++n) tests::suppress_some(random, world);
        const auto datum = random_datum(random, world.members);
        auto mixed = world;
        std::ranges::reverse(mixed.members);
        for (auto& member : mixed.members) std::ranges::reverse(member.suppressions);
        const auto now = decide(world, datum);
        CHECK(decide(mixed, datum) == now);
        if (now.reason != Reason::suppressed || !now.changes_at) continue;
        auto before = world;
        before.question.now = *now.changes_at - std::chrono::milliseconds(1);
        CHECK(decide(before, datum).reason == Reason::suppressed);
    }
}

}  // namespace
