#include "api/routes.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <set>

#include "api/audit.h"
#include "tests/api/route_target.h"

namespace {

// "METHOD /path" of every operation in the document, with the statuses that it names: a path is two
// spaces deep, a method four, a status eight.
std::map<std::string, std::set<int>> documented_routes() {
    std::ifstream in(CDP_SOURCE_DIR "/docs/api/openapi.yaml");
    REQUIRE(in);
    std::map<std::string, std::set<int>> out;
    std::set<int>* statuses = nullptr;
    std::string line;
    std::string path;
    bool in_paths = false;
    while (std::getline(in, line)) {
        if (!line.starts_with(' ')) in_paths = line == "paths:";
        if (!in_paths) continue;
        if (line.starts_with("  /")) path = line.substr(2, line.rfind(':') - 2);
        for (const auto* method : {"get", "post", "put", "patch", "delete"})
            if (line == std::string("    ") + method + ":") {
                std::string upper = method;
                for (auto& c : upper) c = static_cast<char>(std::toupper(c));
                statuses = &out[upper + " " + path];
            }
        if (statuses && line.starts_with("        \"") && line[12] == '"')
            statuses->insert(std::stoi(line.substr(9, 3)));
    }
    return out;
}

}  // namespace

TEST_CASE("the metrics of a server that others can reach are an administrator's") {
    const api::Routes routes(/*metrics_open=*/false);
    const auto found = routes.find(api::Method::get, "/metrics");
    REQUIRE(found.route);
    CHECK(found.route->door == api::Door::key);
    CHECK(found.route->roles.has(cdp::Role::admin));
    CHECK_FALSE(found.route->roles.has(cdp::Role::officer));
}

TEST_CASE("what needs no key works among its like, what needs one among others") {
    using api::Work;
    const api::Routes routes(true);
    int open = 0;
    for (const auto& route : routes.all()) {
        CAPTURE(route.path);
        const auto work = route.handler.work();
        CHECK((work == Work::at_once || route.handler.later()));
        const bool among_open = work == Work::brief_open || work == Work::streamed_open;
        if (work != Work::at_once) CHECK(among_open == (route.door == api::Door::open));
        open += among_open ? 1 : 0;
    }
    CHECK(open > 5);
    for (const auto* path : {"/v1/exports/events", "/v1/ledger/check"})
        CHECK(routes.find(api::Method::get, path).route->handler.work() == Work::streamed);
}

TEST_CASE("no two routes answer the same method and path") {
    const api::Routes routes(true);
    std::set<std::string> names;
    for (const auto& name : routes.names()) CHECK(names.insert(name).second);
    for (const auto& route : routes.all())
        CHECK(routes.find(route.method, tests::target_of(route)).route == &route);
}

TEST_CASE("the document and the router name the same routes") {
    const api::Routes routes(true);
    std::set<std::string> served;
    for (const auto& route : routes.all())
        served.insert(std::string(to_string(route.method)) + " " + std::string(route.path));
    std::set<std::string> documented;
    for (const auto& [name, statuses] : documented_routes()) documented.insert(name);
    CHECK(documented == served);
}

TEST_CASE("the document says what every route of a kind can answer") {
    const api::Routes routes(true);
    const auto documented = documented_routes();
    for (const auto& route : routes.all()) {
        const auto name = std::string(to_string(route.method)) + " " + std::string(route.path);
        CAPTURE(name);
        std::set<int> due;
        if (route.door == api::Door::key) due.insert({400, 401, 403});
        const bool reads_body = route.method == api::Method::post;
        if (reads_body && (route.door == api::Door::key || route.path.starts_with("/preferences")))
            due.insert({400, 413, 415});
        const auto questions = api::audit_routes();
        const auto asked = std::ranges::find(
            questions, route.path, [](const auto& one) { return std::string_view(one.first); });
        if (asked != questions.end()) {
            due.insert(503);
            for (const auto parameter : asked->second->parameters)
                if (parameter == "subject" || parameter == "a") due.insert(404);
        }
        for (const auto status : due) {
            CAPTURE(status);
            CHECK(documented.at(name).contains(status));
        }
    }
}
