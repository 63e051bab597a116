#include "api/routes.h"
#include "tests/api/world.h"

using tests::World;

namespace {

// A key that the route lets in.
const std::string& key_for(const World& world, const api::Route& route) {
    if (route.server_sources) return world.till;
    for (const auto& [role, key] : world.keys)
        if (route.roles.has(role)) return key;
    return world.keys.begin()->second;
}

// The route's path with something where it has a name.
std::string path_of(const api::Route& route) {
    std::string path(route.path);
    const auto open = path.find('{');
    if (open == path.npos) return path;
    return path.replace(open, path.find('}') - open + 1, "user_id:u1");
}

tests::Reply ask(const World& world, const api::Route& route, const std::string& query) {
    return world.ask(to_string(route.method), path_of(route) + query,
                     World::bearer(key_for(world, route)),
                     route.method == api::Method::post ? "{}" : "");
}

// Others' protocols, whose clients may add parameters of their own.
bool is_protocol(const api::Route& route) {
    return route.dress && route.any_parameter && route.path.find("{") == std::string_view::npos;
}

}  // namespace

TEST_CASE(
    "a query parameter that a route does not know is refused by name, but not to SDKs and mail") {
    const World world;
    const api::Routes routes(/*metrics_open=*/true);
    for (const auto& route : routes.all()) {
        CAPTURE(route.path);
        const auto reply = ask(world, route, "?tail=1");
        const bool sdk = route.door == api::Door::write_key || route.cors != api::Cors::none;
        // Trackers on the way of a link add their own.
        const bool linked =
            route.path.starts_with("/preferences/") || route.path.starts_with("/privacy/verify/");
        if (linked || is_protocol(route)) {
            CHECK(reply.body.find("unknown_parameter") == std::string::npos);
            continue;
        }
        if (route.dress) {
            CHECK(reply.status == 400);
            // Where answers to strangers are signed nothing of what they asked is repeated.
            const bool named = reply.body.find("no query parameter `tail` here") != reply.body.npos;
            const bool coded = reply.body.find("unknown_parameter") != reply.body.npos;
            CHECK((named || coded));
            CHECK(named != route.path.starts_with("/v2/results/"));
            continue;
        }
        CHECK((reply.code() == "unknown_parameter") == !sdk);
        if (sdk) continue;
        CHECK(reply.status == 400);
        CHECK(reply.json()["pointer"] == "/tail");
        CHECK(reply.json()["detail"] == "There is no query parameter `tail` here.");
    }
}

TEST_CASE("a query parameter that a route knows is taken once") {
    const World world;
    const api::Routes routes(/*metrics_open=*/true);
    for (const auto& route : routes.all())
        for (const auto name : route.parameters) {
            CAPTURE(route.path, name);
            const std::string one = std::string(name) + "=1";
            CHECK(ask(world, route, "?" + one).code() != "unknown_parameter");
            const auto reply = ask(world, route, "?" + one + "&" + one);
            CHECK(reply.status == 400);
            if (route.dress) {
                CHECK(reply.body.find("repeated_parameter") != std::string::npos);
                continue;
            }
            CHECK(reply.code() == "repeated_parameter");
            CHECK(reply.json()["pointer"] == "/" + std::string(name));
        }
}

TEST_CASE("what is wrong with a query is told by the name of the parameter, decoded and cut") {
    const World world;
    struct Row {
        std::string query;
        int status;
        std::string pointer;
    };
    const auto row = GENERATE(values<Row>({
        {"?limit=1&limit=2", 400, "/limit"},
        {"?li%6Dit=1&limit=2", 400, "/limit"},
        {"?a%2Fb~=1", 400, "/a~1b~0"},
        {"?=1", 400, "/"},
        {"?%C3%A4=1", 400, "/\xc3\xa4"},
        {"?" + std::string(5000, 'x') + "=1", 400, "/" + std::string(64, 'x')},
        {"?limit=0", 400, "/limit"},
        {"?cursor=x", 400, "/cursor"},
        {"?kind=x", 400, "/kind"},
        {"?status=x", 400, "/status"},
        {"?", 200, ""},
        {"?&&limit=1&", 200, ""},
    }));
    CAPTURE(row.query);
    const auto reply =
        world.get("/v1/identity/assertions" + row.query, world.keys.at(cdp::Role::steward));
    CHECK(reply.status == row.status);
    CHECK(reply.json().value("pointer", "") == row.pointer);
}

TEST_CASE("nobody learns from a refused parameter what a key that is not let in may not ask") {
    const World world;
    const auto& key = world.keys.at(cdp::Role::channel);
    CHECK(world.get("/v1/identity/assertions?x=1", key).status == 403);
    CHECK(world.ask("GET", "/v1/identity/assertions?x=1").status == 401);
}
