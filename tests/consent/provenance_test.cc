#include "consent/provenance.h"

#include <catch2/catch.hpp>

#include "cdp/base/random.h"
#include "consent/policy.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using Texts = std::vector<std::string>;

Provenance derived(std::vector<Provenance> inputs) {
    return derive(inputs);
}

TEST_CASE("what is derived has every label and the purposes all inputs were collected for") {
    CHECK(derived({{{"name"}, {}}, {{"commerce"}, {}}}) == Provenance{{"commerce", "name"}, {}});
    CHECK(derived({{{"name"}, {"ads", "news"}}, {{"name"}, {"news", "sms"}}}) ==
          Provenance{{"name"}, {"news"}});
    CHECK(derived({{{"name"}, {}}, {{"name"}, {"news"}}}) == Provenance{{"name"}, {"news"}});
}

TEST_CASE("of a purpose and one above it the narrower is common to both") {
    CHECK(derived({{{"name"}, {"ads"}}, {{"name"}, {"ads/social", "news"}}}).collected_for ==
          Texts{"ads/social"});
}

TEST_CASE("what was collected for different things is for nothing together") {
    const auto nothing = derived({{{"name"}, {"ads"}}, {{"name"}, {"news"}}});
    CHECK(nothing.collected_for == Texts{std::string(kNoPurpose)});
    CHECK(derived({nothing, {{"name"}, {"ads"}}}).collected_for == nothing.collected_for);
}

TEST_CASE("what is made of something unclassified, or of nothing, leaves nowhere") {
    CHECK(derived({}).labels.empty());
    CHECK(derived({{{"name"}, {}}, {{}, {}}}).labels.empty());
}

TEST_CASE("nothing that is derived may be used where an input may not, in whatever order") {
    const auto seed = GENERATE(tests::seeds(200));
    CAPTURE(seed);
    cdp::Random random(seed);
    const Texts names = {"a", "a/b", "a/b/c", "d", "d/e"};
    std::vector<Provenance> inputs(1 + random.below(4));
    for (auto& input : inputs) {
        input.labels = {"l" + std::to_string(random.below(3))};
        for (auto n = random.below(3); n > 0; --n)
            input.collected_for.push_back(names[random.below(names.size())]);
    }
    const auto out = derive(inputs);
    const auto may = [](const Provenance& one, const std::string& purpose) {
        return one.collected_for.empty() ||
               std::ranges::any_of(one.collected_for,
                                   [&](const auto& name) { return covers(name, purpose); });
    };
    for (const auto& purpose : names)
        CHECK(may(out, purpose) ==
              std::ranges::all_of(inputs, [&](const auto& input) { return may(input, purpose); }));
    std::ranges::reverse(inputs);
    CHECK(derive(inputs) == out);
}

}  // namespace
