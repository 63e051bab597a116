#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "consent/decision.h"
#include "consent/policy.h"
#include "tests/bench/commands.h"

namespace bench {

// A person of four identifiers with a history on two of them, asked about one trait after the
// other.
bool run_gate() {
    const auto policy = consent::default_policy();
    const auto token = [](std::uint8_t n) {
        cdp::Token made{};
        made.bytes[0] = n;
        return made;
    };
    const auto fact = [&](consent::State state, std::int64_t at, std::uint8_t id) {
        consent::Fact made;
        made.id.bytes[0] = id;
        made.purpose = "advertising";
        made.state = state;
        made.scope = consent::Scope::person;
        made.origin = consent::Origin::server;
        made.time = cdp::timestamp_of(at);
        return made;
    };
    std::vector<consent::Member> members(4);
    for (std::uint8_t i = 0; i < 4; ++i) members[i].token = token(i);
    members[0].type = "user_id";
    members[0].account = true;
    members[0].facts = {fact(consent::State::granted, 10, 1), fact(consent::State::denied, 20, 2),
                        fact(consent::State::granted, 30, 3)};
    members[1].type = "email";
    members[1].contact = true;
    members[1].facts = {fact(consent::State::granted, 15, 4)};
    const consent::Judge judge(policy, members,
                               {"advertising", "ads_tool", cdp::timestamp_of(1000)});

    constexpr int kDecisions = 5'000'000;
    std::size_t allowed = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kDecisions; ++i) {
        consent::Datum datum;
        datum.home = token(static_cast<std::uint8_t>(i % 4));
        datum.captured = cdp::timestamp_of(i % 50);
        allowed += judge.decide(datum).allowed();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("{\"decisions\":%d,\"allowed\":%zu,\"per_second\":%.1f}\n", kDecisions, allowed,
                kDecisions / took.count());
    return allowed > 0 && allowed < kDecisions;
}

}  // namespace bench
