#include <set>

#include "cdp/audit_disclosed.h"
#include "cdp/audit_mask.h"
#include "cdp/disclosures.h"
#include "consent/ledger.h"
#include "tests/cdp/shown_proof.h"
#include "tests/cdp/world.h"

namespace {

using cdp::AuditQuery;
using nlohmann::json;
using tests::PlatformWorld;
using tests::proof_shown;

cdp::Config with_phones() {
    cdp::Config config;
    config.policy.traits["mobile"] = {"contact.phone"};
    return config;
}

// A shop with one person, whom a mailer reads.
struct Shop {
    Shop() : world(with_phones()) {
        world.send_one(R"({"type":"identify","userId":"u1","messageId":"m1",)"
                       R"("traits":{"email":"a@shop.example","firstName":"A","secret":1}})",
                       till);
        world.consent("email", "a@shop.example", "email_marketing", "granted");
    }

    // A row of its own: time passes before and after.
    void read(const std::string& name = "mailer") {
        world.clock().advance(std::chrono::seconds(1));
        REQUIRE(world.platform().profile({cdp::Role::channel, name, "email_tool", {}}, "user_id",
                                         "u1", "email_marketing"));
        REQUIRE(world.platform().disclosures().drain());
        world.clock().advance(std::chrono::seconds(1));
    }
    static AuditQuery about(const std::string& type = "user_id", const std::string& value = "u1") {
        return {.subject = cdp::AuditSubject{type, value}};
    }
    json disclosures(const AuditQuery& query = about()) {
        return world.audited("disclosures", query);
    }

    const cdp::Principal till = PlatformWorld::source("till", cdp::Trust::server);
    PlatformWorld world;
};

consent::Proven proven(Shop& shop, const json& shown) {
    const auto keys = shop.world.platform().ledger().public_keys();
    REQUIRE(keys);
    auto out = consent::verify(proof_shown(shown), *keys);
    INFO((out ? "" : out.error().reason + " " + out.error().pointer));
    REQUIRE(out);
    return *std::move(out);
}

// section/name of what left.
std::set<std::string> left(const json& rows) {
    std::set<std::string> out;
    for (const auto& row : rows)
        for (const auto& field : row.at("fields"))
            out.insert(field.at("section").get<std::string>() + "/" +
                       field.at("name").get<std::string>());
    return out;
}

}  // namespace

TEST_CASE("who got a field is told of all of a person's identifiers, and proved") {
    Shop shop;
    shop.read();
    const auto answer = shop.disclosures();
    REQUIRE(answer.at("disclosures").size() == 2);
    CHECK(answer.at("next").is_null());
    CHECK(answer.at("erased") == 0);
    CHECK(answer.at("gaps").empty());
    CHECK(left(answer["disclosures"]) == std::set<std::string>{"persons/person", "fields/email",
                                                               "fields/firstName",
                                                               "identifiers/email"});
    std::set<std::string> under;
    for (const auto& row : answer["disclosures"]) {
        under.insert(row.at("identifier").at("value"));
        CHECK(row.at("channel") == "email_tool");
        CHECK(row.at("purpose") == "email_marketing");
        CHECK(row.at("reader").at("name") == "mailer");
        CHECK(row.at("count") == 1);
        CHECK_FALSE(row.at("records").empty());
        const auto proof = proven(shop, row);
        REQUIRE((proof.row && proof.batch));
        CHECK(proof.batch->channel == "email_tool");
        CHECK(cdp::to_hex(proof.row->decision.view()) == row.at("decision"));
        CHECK(cdp::format_time(proof.row->first) == row.at("first"));
    }
    CHECK(under == std::set<std::string>{"u1", "a@shop.example"});
}

TEST_CASE("a proof of another row, or of another batch, does not hold") {
    Shop shop;
    shop.read();
    shop.read();
    const auto rows = shop.disclosures().at("disclosures");
    REQUIRE(rows.size() == 4);
    const auto keys = shop.world.platform().ledger().public_keys().value();
    const auto first = proof_shown(rows[0]);
    const auto fault = [&](const consent::AuditProof& proof) {
        const auto out = consent::verify(proof, keys);
        return out ? "" : out.error().reason;
    };
    REQUIRE(fault(first).empty());
    REQUIRE(first.row);
    auto other = first;
    other.row->index = 1 - first.row->index;
    CHECK(fault(other) == "row_differs");
    other = first;
    other.row->bytes.back() ^= 1;
    CHECK(fault(other) == "row_differs");
    other = first;
    other.row->path.clear();
    CHECK(fault(other) == "row_differs");
    other = first;
    other.bytes.back() ^= 1;
    CHECK(fault(other) == "commitment_differs");
    other = first;
    other.salt[0] ^= 1;
    CHECK(fault(other) == "commitment_differs");
    other = first;
    other.entry.back() ^= 1;
    CHECK(fault(other) == "proof_invalid");
    const auto last = proof_shown(rows[3]);
    other = first;
    other.bytes = last.bytes;
    other.salt = last.salt;
    CHECK(fault(other) == "commitment_differs");
    other = first;
    other.row = last.row;
    CHECK(fault(other) == "row_differs");
    CHECK_FALSE(consent::verify(first, {}));
}

TEST_CASE("a field is asked for by its name, by a label and by a label's end") {
    Shop shop;
    shop.read();
    const auto rows = [&](const std::string& field) {
        auto query = Shop::about();
        query.field = field;
        return shop.disclosures(query).at("disclosures").size();
    };
    CHECK(rows("firstName") == 1);
    CHECK(rows("email") == 2);  // the trait and the identifier
    CHECK(rows("contact.email") == 2);
    CHECK(rows("secret") == 0);  // withheld
    CHECK(rows("mail") == 0);
    CHECK(cdp::is_called({.name = "mobile", .labels = {"contact.phone"}}, "phone"));
    CHECK_FALSE(cdp::is_called({.name = "mobile", .labels = {"contact.telephone"}}, "phone"));
}

TEST_CASE("since she withdrew: from the receipt of the newest withdrawal") {
    Shop shop;
    auto query = Shop::about();
    query.since_withdrawal = true;
    shop.read();
    const auto nobody = shop.disclosures(query);
    CHECK(nobody.at("withdrawal").is_null());
    CHECK(nobody.at("disclosures").empty());

    // Said a day ago, received now.
    const auto now = shop.world.clock().now();
    shop.world.consent("email", "a@shop.example", "email_marketing", "withdrawn", "",
                       now - std::chrono::hours(24));
    const auto none = shop.disclosures(query);
    CHECK(none.at("withdrawal").at("state") == "withdrawn");
    CHECK(none.at("since") == cdp::format_time(now));
    CHECK(none.at("disclosures").empty());
    CHECK(proven(shop, none.at("withdrawal")).record->state == consent::State::withdrawn);

    shop.world.consent("email", "a@shop.example", "email_marketing", "granted");
    shop.read();
    CHECK(shop.disclosures(query).at("disclosures").size() == 2);
    query.purpose = "analytics";
    CHECK(shop.disclosures(query).at("withdrawal").is_null());
}

TEST_CASE("pages of disclosures are a list without gaps or repetitions") {
    Shop shop;
    for (int i = 0; i < 5; ++i) shop.read(i % 2 == 0 ? "mailer" : "other");
    const auto whole = shop.disclosures().at("disclosures");
    REQUIRE(whole.size() == 10);
    for (std::size_t limit : {1, 3, 9, 10}) {
        CAPTURE(limit);
        auto query = Shop::about();
        query.page.limit = limit;
        auto all = json::array();
        while (true) {
            const auto page = shop.disclosures(query);
            for (const auto& row : page.at("disclosures")) all.push_back(row);
            if (page.at("next").is_null()) break;
            REQUIRE(page.at("disclosures").size() == limit);
            query.page.cursor = page.at("next");
        }
        // Checkpoints grow between the pages.
        REQUIRE(all.size() == whole.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(all[i].at("batch") == whole[i].at("batch"));
            CHECK(all[i].at("row") == whole[i].at("row"));
        }
    }
}

TEST_CASE("periods are from, inclusive, until, exclusive") {
    Shop shop;
    shop.read();
    const auto between = shop.world.clock().now();
    shop.read();
    auto query = Shop::about();
    query.since = between;
    CHECK(shop.disclosures(query).at("disclosures").size() == 2);
    query.since.reset();
    query.until = between;
    CHECK(shop.disclosures(query).at("disclosures").size() == 2);
    query.since = between;
    CHECK(shop.disclosures(query).at("error") == "empty_period");
    query = Shop::about();
    query.channel = "sms_tool";
    CHECK(shop.disclosures(query).at("disclosures").empty());
    query.channel.clear();
    query.purpose = "marketing";
    const auto below = shop.disclosures(query).at("disclosures").size();
    query.purpose = "email_marketing";
    CHECK(shop.disclosures(query).at("disclosures").size() == 4);
    CHECK(below <= 4);
}

TEST_CASE("nobody has disclosures whom nobody knows") {
    Shop shop;
    for (const auto* verb : {"disclosures", "access", "withheld", "recipients"}) {
        CAPTURE(verb);
        CHECK(shop.world.audited(verb, Shop::about("user_id", "nobody")).at("error") ==
              "person_unknown");
        CHECK(shop.world.audited(verb, {}).at("error") == "subject_required");
        CHECK(shop.world.audited(verb, Shop::about("email", "?")).at("error") ==
              "malformed_identifier");
    }
    CHECK(shop.disclosures().at("disclosures").empty());
    auto query = Shop::about();
    query.page.cursor = "x";
    CHECK(shop.disclosures(query).at("error") == "malformed_cursor");
}

TEST_CASE("who looked is told with the route, the reason and the batch") {
    Shop shop;
    shop.read();
    const auto none = shop.world.audited("access", Shop::about());
    CHECK(none.at("accesses").empty());
    const auto once = shop.world.audited("access", Shop::about());
    REQUIRE(once.at("accesses").size() >= 1);
    const auto& row = once["accesses"][0];
    CHECK(row.at("reader") == json{{"role", "officer"}, {"name", "officer"}});
    CHECK(row.at("route") == "a test");
    CHECK_FALSE(row.contains("channel"));
    CHECK(proven(shop, row).batch->kind == consent::BatchKind::access);
}

TEST_CASE("a walk through who looked ends while the clock stands still") {
    Shop shop;
    for (int i = 0; i < 3; ++i) (void)shop.world.audited("gpc", Shop::about());
    for (int walks = 0; walks < 2; ++walks) {
        auto query = Shop::about();
        query.page.limit = 1;
        std::size_t pages = 0;
        std::size_t before = shop.world.audited("access", Shop::about()).at("accesses").size();
        do {
            const auto page = shop.world.audited("access", query);
            query.page.cursor = page.at("next").is_null() ? "" : page.at("next").get<std::string>();
            REQUIRE(++pages < 100);
        } while (!query.page.cursor.empty());
        // And its own look before it, which was not listed yet.
        CHECK(pages >= before);
        CHECK(pages <= before + 2);
    }
}

TEST_CASE("what was kept back is told with the reasons, and how much left beside it") {
    Shop shop;
    shop.read();
    shop.read();
    const auto answer = shop.world.audited("withheld", Shop::about());
    const auto& summary = answer.at("summary");
    CHECK(summary.at("withheld") == json{{"unmapped", {{"fields", 2}, {"times", 2}}},
                                         {"label_not_allowed", {{"fields", 2}, {"times", 2}}}});
    CHECK(summary.at("left").at("fields") == 6);
    REQUIRE(answer.at("rows").size() == 2);
    for (const auto& row : answer["rows"]) {
        CHECK(row.at("withheld").size() == 2);
        CHECK(proven(shop, row).row);
    }
}

TEST_CASE("recipients are those who got anything, with the newest proof") {
    Shop shop;
    CHECK(shop.world.audited("recipients", Shop::about()).at("recipients").empty());
    shop.read();
    shop.read("other");
    const auto answer = shop.world.audited("recipients", Shop::about("email", "a@shop.example"));
    REQUIRE(answer.at("recipients").size() == 1);
    const auto& one = answer["recipients"][0];
    CHECK(one.at("channel") == "email_tool");
    CHECK(one.at("registered") == true);
    CHECK(one.at("purposes") == json::array({"email_marketing"}));
    CHECK(one.at("disclosures") == 4);
    CHECK(one.at("fields").size() == 4);
    CHECK(one.at("first_time") < one.at("last_time"));
    CHECK(one.at("newest").at("reader").at("name") == "other");
    CHECK(proven(shop, one["newest"]).row->last ==
          *cdp::parse_time(one.at("last_time").get<std::string>()));
}

TEST_CASE("a record is shown in full with what proves it") {
    Shop shop;
    auto query = Shop::about();
    query.as_of = shop.world.clock().now();
    const auto beliefs = shop.world.audited("consent", query);
    REQUIRE(beliefs.at("proofs").size() == 1);
    CHECK(beliefs.at("proofs_left_out") == 0);
    const auto& listed = beliefs["proofs"][0];
    CHECK(beliefs.at("now").at("records") == json::array({listed.at("id")}));
    CHECK(proven(shop, listed).record->purpose == "email_marketing");

    query.id = listed.at("id");
    const auto answer = shop.world.audited("record", query);
    const auto& record = answer.at("record");
    CHECK(record.at("state") == "granted");
    CHECK(answer.at("notice").is_null());
    const auto proof = proven(shop, record);
    CHECK(cdp::to_hex(proof.record->id.view()) == query.id);
    CHECK(record.at("ledger").at("index") == proof.index);
    CHECK(record["ledger"].at("commitment") == cdp::to_hex(consent::view(proof.entry.commitment)));

    query.id = std::string(32, '0');
    CHECK(shop.world.audited("record", query).at("error") == "consent_unknown");
    query.id = "x";
    CHECK(shop.world.audited("record", query).at("error") == "malformed_record_id");
}

TEST_CASE("a stamp is proved by what its cell commits to") {
    Shop shop;
    shop.world.send_one(
        R"({"type":"track","event":"x","userId":"u1","messageId":"m9","context":{"consent":)"
        R"({"categoryPreferences":{"analytics":false}}}})");
    auto query = Shop::about();
    query.as_of = shop.world.clock().now();
    const auto beliefs = shop.world.audited("consent", query);
    for (const auto& one : beliefs.at("proofs")) {
        if (one.at("kind") != "stamp") continue;
        const auto proof = proven(shop, one);
        REQUIRE(proof.cell);
        CHECK(proof.cell->first.state == consent::State::denied);
        query.id = one.at("id");
        CHECK(proven(shop, shop.world.audited("record", query).at("record")).cell == proof.cell);
        return;
    }
    FAIL("the stamp is missing");
}

TEST_CASE("a stamp that repeats a denial is no new withdrawal, one after a grant is") {
    Shop shop;
    auto query = Shop::about();
    query.since_withdrawal = true;
    query.purpose = "analytics";
    int events = 0;
    const auto say = [&](bool granted) {
        shop.world.clock().advance(std::chrono::hours(24));
        const json event{
            {"type", "track"},
            {"event", "x"},
            {"userId", "u1"},
            {"messageId", "s" + std::to_string(++events)},
            {"context", {{"consent", {{"categoryPreferences", {{"analytics", granted}}}}}}}};
        shop.world.send_one(event.dump());
        return cdp::format_time(shop.world.clock().now());
    };
    const auto first = say(false);
    say(false);
    say(false);
    CHECK(shop.disclosures(query).at("since") == first);
    CHECK(shop.disclosures(query).at("withdrawal").at("kind") == "stamp");
    say(true);
    CHECK(shop.disclosures(query).at("since") == first);
    const auto again = say(false);
    CHECK(shop.disclosures(query).at("since") == again);
    // On one day: the second refusal repeats the cell of the first.
    const auto soon = [&](bool granted) {
        shop.world.clock().advance(-std::chrono::hours(23));
        return say(granted);
    };
    soon(true);
    CHECK(shop.disclosures(query).at("since") == again);
    const auto second = soon(false);
    CHECK(shop.disclosures(query).at("since") == second);
    soon(false);
    CHECK(shop.disclosures(query).at("since") == second);
}
