#include "cdp/disclosures.h"

#include <set>

#include "api/routes.h"
#include "cdp/platform.h"
#include "tests/api/world.h"

// What a channel's key can get at all is listed, and what an operator's key can see is noted:
// asked of every route of the table.

using tests::Reply;
using tests::World;

namespace {

using nlohmann::json;

constexpr const char* kWho = "user_id:u1";

struct Shop : World {
    Shop() {
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":)"
                R"("a@shop.example","firstName":"Ann","plan":"gold","unmapped":"x"}})");
        receive(R"({"type":"track","event":"Order Completed","userId":"u1","messageId":"m2",)"
                R"("properties":{"revenue":7,"coupon":"c","odd":1}})");
        receive(R"({"type":"group","groupId":"acme","userId":"u1","messageId":"m3"})");
        receive(R"({"type":"track","event":"x","anonymousId":"c1","messageId":"m4"})");
        receive(R"({"type":"identify","anonymousId":"c1","userId":"u1","messageId":"m5"})");
        const auto granted = post("/v1/consents", till,
                                  R"({"identifiers":[{"type":"email","value":"a@shop.example"}],)"
                                  R"("purpose":"email_marketing","state":"granted"})");
        REQUIRE(granted.status == 200);
        record = granted.json().at("records").at(0);
        const auto made = post("/v1/identity/assertions", keys.at(cdp::Role::steward),
                               R"({"kind":"must_link","reason":"r","identifiers":[)"
                               R"({"type":"user_id","value":"u1"},)"
                               R"({"type":"email","value":"a@shop.example"}]})");
        REQUIRE(made.status == 201);
        assertion = made.json().at("id");
    }

    // The channel is given something that is then taken back.
    Reply take_back() const {
        const auto given = get(std::string("/v1/profiles/") + kWho + "?purpose=email_marketing",
                               keys.at(cdp::Role::channel));
        REQUIRE(given.status == 200);
        REQUIRE(post("/v1/consents", till,
                     R"({"identifiers":[{"type":"email","value":"a@shop.example"}],)"
                     R"("purpose":"email_marketing","state":"withdrawn"})")
                    .status == 200);
        return given;
    }

    // A request that the route answers with what it has.
    std::string target(const api::Route& route) const {
        std::string path(route.path);
        const auto open = path.find('{');
        const auto with = [&](const std::string& text) {
            path.replace(open, path.find('}') - open + 1, text);
        };
        if (path.find("{identifier}") != path.npos) with(kWho);
        if (path.find("{group_id}") != path.npos) with("acme");
        if (path.find("{kind}") != path.npos) with("persons");
        if (path.find("{id}") != path.npos)
            with(route.path == "/v1/audit/records/{id}" ? record : assertion);
        std::string query;
        if (route.path == "/v1/withdrawals") query += "&channel=email_tool";
        for (const auto name : route.parameters) {
            if (name == "purpose") query += "&purpose=email_marketing";
            if (name == "a") query += std::string("&a=") + kWho;
            if (name == "b") query += "&b=email:a%40shop.example";
            if (name == "subject") query += std::string("&subject=") + kWho;
            if (name == "identifier") query += std::string("&identifier=") + kWho;
            if (name == "as_of" && route.path.starts_with("/v1/audit/"))
                query += "&as_of=2026-01-01T00:00:00Z";
        }
        if (!query.empty()) path += "?" + query.substr(1);
        return path;
    }

    cdp::Token token(const std::string& type, const std::string& value) const {
        return vault.token(type, value);
    }
    // section/name of what was told about u1 and the others that are the same person.
    std::set<std::string> listed(consent::BatchKind kind) const {
        std::set<std::string> out;
        for (const auto& one : {token("user_id", "u1"), token("email", "a@shop.example"),
                                token("anonymous_id", "c1")}) {
            const auto page = platform->disclosures().of_subject(one, {});
            REQUIRE(page);
            for (const auto& row : page->rows) {
                if (row.batch.kind != kind) continue;
                for (const auto& field : row.mask)
                    out.insert((field.withheld ? "-" : "") + std::string(to_string(field.section)) +
                               "/" + (field.within.empty() ? "" : field.within + "/") + field.name);
            }
        }
        return out;
    }

    std::string assertion;
    std::string record;
};

// What an answer to a channel tells, named as the list names it.
class Told {
public:
    std::set<std::string> names;

    void read(const json& body) {
        if (body.contains("profile")) return read(body["profile"]);
        for (const auto& one : body.value("answers", json::array())) read(one);
        if (body.contains("person")) names.insert("persons/person");
        const auto traits = body.value("traits", json::object());  // which items() refers to
        for (const auto& [name, trait] : traits.items()) names.insert("fields/" + name);
        for (const auto& one : body.value("identifiers", json::array()))
            if (one.contains("type"))
                names.insert("identifiers/" + one.at("type").get<std::string>());
            else
                read(one);  // what was decided about it
        for (const auto& event : body.value("events", json::array())) {
            const auto name = event.at("name").get<std::string>();
            names.insert("events/" + name + "/event");
            for (const auto& [property, value] : event.at("properties").items())
                names.insert("properties/" + name + "/" + property);
        }
        if (!body.value("withdrawals", json::array()).empty()) {
            names.insert("persons/person");
            names.insert("persons/withdrawal");
        }
        if (body.contains("changes") && !body["changes"].empty()) names.insert("persons/person");
    }
};

bool is_list(const Reply& reply) {
    return reply.header("content-type") == "application/x-ndjson";
}

}  // namespace

TEST_CASE("what any route sends a channel is listed, and nothing else") {
    const api::Routes routes(/*metrics_open=*/false);
    std::size_t answered = 0;
    for (const auto& route : routes.all()) {
        if (route.door != api::Door::key || !route.roles.has(cdp::Role::channel)) continue;
        // Tells nothing of the identifier it is asked for.
        if (route.path == "/v1/preferences/links") continue;
        // Tells how many there were.
        if (route.path == "/v1/withdrawals/acknowledgements") continue;
        const Shop shop;
        CAPTURE(route.path);
        Told told;
        if (route.path == "/v1/withdrawals") told.read(shop.take_back().json());
        const std::string body =
            route.method == api::Method::post
                ? R"({"purpose":"email_marketing","identifiers":[{"type":"user_id","value":"u1"}]})"
                : "";
        const auto reply = shop.ask(to_string(route.method), shop.target(route),
                                    World::bearer(shop.keys.at(cdp::Role::channel)), body);
        REQUIRE(reply.status == 200);
        if (is_list(reply)) {
            std::istringstream lines(reply.body);
            for (std::string line; std::getline(lines, line);) told.read(json::parse(line));
        } else {
            told.read(reply.json());
        }
        CAPTURE(reply.body);
        CHECK_FALSE(told.names.empty());
        auto listed = shop.listed(consent::BatchKind::release);
        std::erase_if(listed, [](const auto& name) { return name.starts_with('-'); });
        CHECK(listed == told.names);
        ++answered;
    }
    CHECK(answered >= 4);
}

TEST_CASE("every route by which those who run the platform see somebody notes it") {
    const api::Routes routes(/*metrics_open=*/false);
    // They show nobody: who has keys, how the server does, what anybody may know of the ledger,
    // and the texts that everybody was shown.
    const std::set<std::string_view> nobody{
        "/v1/keys", "/v1/privacy/agents", "/v1/keys/epochs", "/v1/verify", "/metrics", "/v1/clock",
        "/v1/ledger/check", "/v1/ledger/keys", "/v1/ledger/proofs/{index}", "/v1/notices/{id}",
        "/v1/audit/quarantines",
        // Of names and of the configuration.
        "/v1/audit/unmapped", "/v1/audit/unused", "/v1/audit/processing",
        "/v1/audit/purpose-limitation",
        // Need a decision, and a night: tests/cdp/audit_*.
        "/v1/audit/decisions/{id}", "/v1/audit/night",
        // Need a notice, a minor, a conflict: the same.
        "/v1/audit/notices/{id}/grants", "/v1/audit/minors", "/v1/audit/conflicts",
        // Needs an erasure: below. Whom it took is not in a certificate.
        "/v1/privacy/erasures/{id}", "/v1/privacy/erasures/{id}/certificate",
        // Names of traits and counts.
        "/v1/privacy/rectifications", "/v1/privacy/rectifications/{id}",
        // Rules and counts.
        "/v1/privacy/retention",
        // Lists name nobody; one request, privacy_requests_test.cc.
        "/v1/privacy/requests", "/v1/audit/rights-requests", "/v1/privacy/requests/{id}",
        // Needs a request that is done: privacy_results_test.cc.
        "/v1/privacy/requests/{id}/results",
        // Needs a published ledger: receipt_test.cc.
        "/v1/receipts/{record}"};
    for (const auto& route : routes.all()) {
        const bool operators = route.roles.has(cdp::Role::officer) ||
                               route.roles.has(cdp::Role::steward) ||
                               route.roles.has(cdp::Role::admin);
        if (route.door != api::Door::key || !operators || route.method != api::Method::get ||
            nobody.contains(route.path))
            continue;
        if (route.dress) continue;  // a protocol's status of a request: dates, counts and a link
        CAPTURE(route.path);
        const Shop shop;
        if (route.path.ends_with("/withdrawals")) shop.take_back();
        const auto role =
            route.roles.has(cdp::Role::officer) ? cdp::Role::officer : cdp::Role::admin;
        auto target = shop.target(route);
        target += (target.find('?') == target.npos ? "?" : "&") + std::string("reason=case%207");
        const auto reply = shop.get(target, shop.keys.at(role));
        REQUIRE(reply.status == 200);
        const auto name = std::string(to_string(role));
        const auto batches = shop.platform->disclosures().of_reader(name, name, {});
        REQUIRE(batches);
        REQUIRE(batches->batches.size() == 1);
        const auto named = "routes/GET " + std::string(route.path);
        // At everybody.
        if (route.path == "/v1/exports/{kind}" || route.path == "/v1/privacy/erasures") {
            const auto batch = shop.platform->disclosures().batch(batches->batches[0].number);
            REQUIRE((batch && *batch));
            CHECK((*batch)->rows.at(0).reason == "case 7");
        } else {
            CHECK(shop.listed(consent::BatchKind::access) == std::set<std::string>{named});
        }
    }
}

TEST_CASE("a look at who is who is noted under everybody who was in it") {
    const Shop shop;
    REQUIRE(shop.get("/v1/profiles/user_id:u1/identity", shop.keys.at(cdp::Role::steward)).status ==
            200);
    for (const auto& one : {shop.token("user_id", "u1"), shop.token("email", "a@shop.example"),
                            shop.token("anonymous_id", "c1")}) {
        const auto page = shop.platform->disclosures().of_subject(one, {});
        REQUIRE(page);
        REQUIRE(page->rows.size() == 1);
        CHECK(page->rows[0].batch.role == "steward");
    }
}

TEST_CASE("who looks at the list of erasures, or at one, is noted") {
    const Shop shop;
    const auto& officer = shop.keys.at(cdp::Role::officer);
    const auto erased = shop.post("/v1/privacy/erasures", officer,
                                  R"({"identifier":{"type":"user_id","value":"u1"}})");
    REQUIRE(erased.status == 200);
    const auto id = erased.json().at("id").get<std::string>();
    REQUIRE(shop.get("/v1/privacy/erasures?reason=case%207", officer).status == 200);
    REQUIRE(shop.get("/v1/privacy/erasures/" + id + "?reason=case%208", officer).status == 200);
    const auto batches = shop.platform->disclosures().of_reader("officer", "officer", {});
    REQUIRE(batches);
    std::set<std::string> reasons;
    for (const auto& one : batches->batches) {
        const auto batch = shop.platform->disclosures().batch(one.number);
        REQUIRE((batch && *batch));
        for (const auto& row : (*batch)->rows) reasons.insert(row.reason);
    }
    CHECK(reasons == std::set<std::string>{"case 7", "case 8"});
    CHECK(shop.get("/v1/privacy/erasures/00", officer).status == 404);
}
