#include "api/json.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace {

// Where a member named like this is refused.
std::string place_of(const std::string& name) {
    const auto checked = api::check_members({{name, 1}}, "/list/0", {"known"});
    if (checked) return "";
    CHECK(checked.error().reason == "unknown_member");
    return checked.error().pointer;
}

}  // namespace

TEST_CASE("members that nobody asks for are refused at their place") {
    CHECK(api::check_members({{"known", 1}}, "", {"known"}));
    CHECK(api::check_members(nlohmann::json::object(), "", {"known"}));
    CHECK(place_of("known").empty());
    CHECK(place_of("Known") == "/list/0/Known");
    CHECK(place_of("a/b~") == "/list/0/a~1b~0");
    CHECK(place_of("") == "/list/0/");
    const auto list = api::check_members(nlohmann::json::array(), "/list", {"known"});
    REQUIRE_FALSE(list);
    CHECK(list.error().reason == "wrong_type");
    CHECK(list.error().pointer == "/list");
}

TEST_CASE("of a long name that nobody asked for the beginning is said, in whole characters") {
    const std::string longest(64, 'n');
    CHECK(place_of(longest) == "/list/0/" + longest);
    CHECK(place_of(longest + "n") == "/list/0/" + longest + "…");
    CHECK(place_of(std::string(62, 'n') + "€€€") == "/list/0/" + std::string(62, 'n') + "…");
    CHECK(place_of(std::string(61, 'n') + "€€€") == "/list/0/" + std::string(61, 'n') + "€…");
    CHECK(place_of(std::string(100'000, '/')).size() < 200);
}
