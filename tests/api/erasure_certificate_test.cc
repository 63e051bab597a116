#include <nlohmann/json.hpp>

#include "api/audit_check.h"
#include "cdp/platform.h"
#include "consent/note.h"
#include "tests/api/world.h"

// What somebody keeps who was erased: it holds without the server, and names nobody.
namespace {

using nlohmann::json;
using tests::World;

struct Shop : World {
    Shop() {
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":)"
                R"("a@shop.example","firstName":"Ann"}})");
        REQUIRE(post("/v1/consents", till,
                     R"({"consents":[{"identifiers":[{"type":"email","value":"a@shop.example"}],)"
                     R"("purpose":"email_marketing","state":"granted"}]})")
                    .status == 200);
        REQUIRE(get("/v1/profiles/user_id:u1?purpose=email_marketing", keys.at(cdp::Role::channel))
                    .status == 200);
        const auto reply = post(
            "/v1/privacy/erasures", officer,
            R"({"identifier":{"type":"user_id","value":"u1"},"reason":"asked by Ann herself"})");
        INFO(reply.body);
        REQUIRE(reply.status == 200);
        id = reply.json()["id"];
    }

    json certificate() const {
        const auto reply = get("/v1/privacy/erasures/" + id + "/certificate", officer);
        INFO(reply.body);
        REQUIRE(reply.status == 200);
        return reply.json();
    }
    std::vector<consent::VerifierKey> trusted() const {
        return platform->ledger().public_keys().value();
    }
    // What is wrong; empty: nothing.
    std::string fault(const json& document) const {
        const auto checked = api::check_audit(document.dump(2), trusted());
        REQUIRE(checked);
        return checked->fault ? checked->fault->reason + " " + checked->fault->pointer : "";
    }

    const std::string officer = keys.at(cdp::Role::officer);
    std::string id;
};

json edited(const json& value) {
    if (value.is_string()) return value.get<std::string>() + "x";
    if (value.is_boolean()) return !value.get<bool>();
    if (value.is_number()) return value.get<std::int64_t>() + 1;
    return "x";
}

}  // namespace

TEST_CASE("a certificate of an erasure holds by the ledger's key alone", "[certificate]") {
    const Shop shop;
    const auto document = shop.certificate();
    CAPTURE(document.dump(1));
    const auto checked = api::check_audit(document.dump(1), shop.trusted());
    REQUIRE(checked);
    CHECK(checked->verified());
    CHECK(checked->signatures == 1);
    CHECK(checked->proofs == 1);
    CHECK(checked->uncovered.contains("/certificate/issued"));
    CHECK(checked->uncovered.contains("/certificate/evidence/erasure/recipients/*/status"));
    CHECK_FALSE(checked->uncovered.contains("/signed"));

    const auto& certificate = document["certificate"];
    CHECK(certificate["certifies"] == "erasure");
    CHECK(certificate["controller"].is_object());
    const auto& erasure = certificate["evidence"]["erasure"];
    CHECK(erasure["id"] == shop.id);
    CHECK(erasure["status"] == "completed");
    CHECK(erasure["erased"]["events"] == 1);
    CHECK_FALSE(erasure["kept"].empty());
    REQUIRE(erasure["recipients"].size() == 1);
    CHECK(erasure["recipients"][0]["status"] == "owed");
    CHECK(certificate["readable_copies"] ==
          json{{"last_epoch", 1}, {"ended", false}, {"escrows", 0}});
    // Nobody wrote a name into it.
    for (const auto* word : {"Ann", "shop.example", "u1\"", "author", "reason", "officer"})
        CHECK(document.dump().find(word) == std::string::npos);
    auto more = document;
    more["certificate"]["evidence"]["signed"] = "by me";
    CHECK_FALSE(api::check_audit(more.dump(), shop.trusted())->verified());
    more = {{"evidence", certificate["evidence"]}, {"signed", "by me"}};
    CHECK(api::check_audit(more.dump(), shop.trusted())->uncovered.contains("/signed"));
    // Any tool that reads signed notes can check it.
    const auto opened = consent::open_note(document["signed"].get<std::string>(), shop.trusted());
    REQUIRE(opened);
    CHECK(json::parse(opened->text) == certificate);
}

TEST_CASE("a certificate in which anything was edited is not verified", "[certificate]") {
    const Shop shop;
    const auto document = shop.certificate();
    std::size_t tried = 0;
    const auto flat = document["certificate"].flatten();
    for (const auto& [place, value] : flat.items()) {
        auto changed = document;
        changed["certificate"][json::json_pointer(place)] = edited(value);
        CAPTURE(place);
        CHECK(shop.fault(changed) == "field_differs /certificate");
        ++tried;
    }
    CHECK(tried > 20);
    auto changed = document;
    changed.erase("signed");
    CHECK(shop.fault(changed) == "malformed_proof /signed");
    changed = document;
    auto note = document["signed"].get<std::string>();
    note.insert(note.find("\"certifies\""), " ");
    changed["signed"] = note;
    CHECK(shop.fault(changed) == "signature_invalid /signed");
    // A checkpoint is signed by the same key.
    changed["signed"] = shop.platform->ledger().checkpoint()->note;
    CHECK(shop.fault(changed).ends_with(" /signed"));
}

TEST_CASE("only officers are given certificates, of erasures that there are", "[certificate]") {
    const Shop shop;
    const auto path = "/v1/privacy/erasures/" + shop.id + "/certificate";
    for (const auto role : {cdp::Role::source, cdp::Role::channel, cdp::Role::steward})
        CHECK(shop.get(path, shop.keys.at(role)).status == 403);
    for (const auto* id : {"x", "00000000000000000000000000000000"}) {
        const auto reply =
            shop.get("/v1/privacy/erasures/" + std::string(id) + "/certificate", shop.officer);
        CHECK(reply.status == 404);
        CHECK(reply.json()["code"] == "erasure_unknown");
    }
}
