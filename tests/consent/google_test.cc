#include "consent/google.h"

#include <catch2/catch.hpp>

namespace {

using namespace consent;

const GooglePurposes kPurposes = {
    {{"advertising"}, {"advertising", "transfer"}, {"ads_profile"}, {}}};

TEST_CASE("a Google signal is granted only if all of its purposes are allowed") {
    using Answers = std::array<std::string_view, 4>;
    const auto ask = [](const std::vector<PurposeVerdict>& verdicts) {
        return google_signals(kPurposes, verdicts);
    };
    CHECK(ask({}) == Answers{"denied", "denied", "denied", "denied"});
    CHECK(ask({{"advertising", true}}) == Answers{"granted", "denied", "denied", "denied"});
    CHECK(ask({{"advertising", true}, {"transfer", false}}) ==
          Answers{"granted", "denied", "denied", "denied"});
    CHECK(ask({{"advertising", true}, {"transfer", true}, {"ads_profile", true}}) ==
          Answers{"granted", "granted", "granted", "denied"});
    CHECK(ask({{"advertising", true}, {"advertising", false}}) ==
          Answers{"denied", "denied", "denied", "denied"});
}

}  // namespace
