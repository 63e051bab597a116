#include "api/audit_check.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "api/command_line.h"
#include "cdp/base/bytes.h"
#include "cdp/platform.h"
#include "consent/base64.h"
#include "tests/api/world.h"

namespace {

using nlohmann::json;
using tests::World;

// One person, whom a channel read, and who said something in a record and in a stamp.
struct Shop : World {
    Shop() {
        receive(R"({"type":"identify","userId":"u1","messageId":"m1","traits":{"email":)"
                R"("a@shop.example","firstName":"Ann","unmapped":"x"}})");
        receive(R"({"type":"track","event":"x","userId":"u1","messageId":"m2","context":)"
                R"({"consent":{"categoryPreferences":{"analytics":false}}}})");
        const auto reply =
            post("/v1/consents", till,
                 R"({"consents":[{"identifiers":[{"type":"email","value":"a@shop.example"}],)"
                 R"("purpose":"email_marketing","state":"granted","jurisdiction":"KR",)"
                 R"("method":"checkbox","notice":{"id":"n1","version":"3","language":"ko"}}]})");
        REQUIRE(reply.status == 200);
        record = reply.json()["records"][0];
        REQUIRE(get("/v1/profiles/user_id:u1?purpose=email_marketing", keys.at(cdp::Role::channel))
                    .status == 200);
    }

    std::string ask_for(const std::string& what) const {
        const auto reply = get("/v1/audit/" + what, keys.at(cdp::Role::officer));
        INFO(reply.body);
        REQUIRE(reply.status == 200);
        return reply.body;
    }
    std::vector<std::string> answers() const {
        std::vector<std::string> out;
        for (const auto* what : {"disclosures", "access", "withheld", "recipients"})
            out.push_back(ask_for(what + std::string("?subject=user_id:u1&reason=case%207")));
        out.push_back(ask_for("records/" + record + "?subject=user_id:u1"));
        out.push_back(ask_for("consent?subject=user_id:u1&as_of=" + now()));
        return out;
    }
    json erased(const std::string& type, const std::string& value) const {
        const json body{{"identifier", {{"type", type}, {"value", value}}},
                        {"scope", "person"},
                        {"reason", "asked by mail"}};
        const auto reply = post("/v1/privacy/erasures", keys.at(cdp::Role::officer), body.dump());
        INFO(reply.body);
        REQUIRE((reply.status == 200 || reply.status == 201));
        return json::parse(ask_for("erasures?subject=" + type + ":" + value));
    }
    // As purpose limitation shows them; nothing of the default policy is collected for one purpose.
    json batches() const {
        const auto row = json::parse(ask_for("disclosures?subject=user_id:u1"))["disclosures"][0];
        json batch{{"policy_version", "00"}, {"fields", json::array()}};
        for (const auto* name :
             {"batch", "channel", "recipient", "country", "purpose", "first", "last", "proof"})
            batch[name] = row[name];
        batch["proof"].erase("row");
        const auto entry = consent::from_base64(row["proof"]["entry"].get<std::string>());
        batch["commitment"] = cdp::to_hex(consent::view(consent::decode_entry(*entry)->commitment));
        return {{"batches", json::array({batch})}};
    }
    static std::string now() { return cdp::format_time(cdp::SystemClock().now()); }
    std::vector<consent::VerifierKey> trusted() const {
        return platform->ledger().public_keys().value();
    }
    // What is wrong; empty: nothing.
    std::string fault(const json& document) const {
        const auto checked = api::check_audit(document.dump(), trusted());
        REQUIRE(checked);
        if (checked->proofs == 0) return "no proof";
        return checked->fault ? checked->fault->reason + " " + checked->fault->pointer : "";
    }

    std::string record;
};

json edited(const json& value) {
    if (value.is_string()) return value.get<std::string>() + "x";
    if (value.is_boolean()) return !value.get<bool>();
    if (value.is_number()) return value.get<std::int64_t>() + 1;
    return "x";
}

// Places below an object with a proof that no ledger can hold.
bool is_word(const std::string& place) {
    for (const auto* word : {"/identifier/", "/identifiers/", "/records", "/reason", "/asked"})
        if (place.find(word) != place.npos)
            return word != std::string("/reason") || place.find("/withheld/") == place.npos;
    return false;
}

// Every place that is proved, with a prefix of the objects that have a proof.
std::vector<std::string> proved_places(const json& document) {
    std::vector<std::string> heads;
    std::vector<std::string> out;
    const auto flat = document.flatten();
    for (const auto& [place, value] : flat.items())
        if (place.ends_with("/proof/salt")) heads.push_back(place.substr(0, place.size() - 10));
    for (const auto& [place, value] : flat.items())
        for (const auto& head : heads)
            if (place.starts_with(head) && !is_word(place)) {
                out.push_back(place);
                break;
            }
    return out;
}

int run(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    return api::run_command_line(static_cast<int>(argv.size()), argv.data());
}

}  // namespace

TEST_CASE("every answer about a person verifies with the ledger's key alone") {
    const Shop shop;
    for (const auto& text : shop.answers()) {
        const auto document = json::parse(text);
        CAPTURE(document.dump(1).substr(0, 600));
        CHECK(shop.fault(document) == "");
        const auto checked = api::check_audit(text, shop.trusted());
        REQUIRE(checked);
        CHECK(checked->hold == checked->proofs);
        CHECK(checked->size > 0);
        CHECK_FALSE(api::check_audit(text, {})->verified());
    }
}

TEST_CASE("an answer in which anything was edited is not verified") {
    const Shop shop;
    std::size_t tried = 0;
    for (const auto& text : shop.answers()) {
        const auto document = json::parse(text);
        for (const auto& place : proved_places(document)) {
            auto changed = document;
            auto& value = changed[json::json_pointer(place)];
            value = edited(value);
            // A stamp's first moment may still move, so nobody commits to it.
            const auto kind = json::json_pointer(place).parent_pointer() / "kind";
            if (place.ends_with("/time") && document.contains(kind) && document[kind] == "stamp")
                continue;
            if (place.ends_with("/began_before")) continue;
            CAPTURE(place);
            CHECK(shop.fault(changed) != "");
            ++tried;
        }
    }
    CHECK(tried > 100);
}

TEST_CASE("a member that was added or taken away is named") {
    const Shop shop;
    auto document = json::parse(shop.ask_for("disclosures?subject=user_id:u1"));
    auto changed = document;
    changed["disclosures"][0].erase("country");
    CHECK(shop.fault(changed) == "field_differs /disclosures/0/country");
    changed = document;
    changed["disclosures"][1]["fax"] = "x";
    CHECK(shop.fault(changed) == "field_differs /disclosures/1/fax");
    changed = document;
    // Two of one moment come in the order of their tokens, and only one of them was told anything.
    const std::size_t told = document["disclosures"][0]["fields"].empty() ? 1 : 0;
    changed["disclosures"][told]["fields"].erase(0);
    CHECK(shop.fault(changed) == "field_differs /disclosures/" + std::to_string(told) + "/fields");
    changed = document;
    std::swap(changed["disclosures"][0]["proof"], changed["disclosures"][1]["proof"]);
    CHECK(shop.fault(changed).starts_with("field_differs /disclosures/0/"));
    changed = document;
    changed["disclosures"][1]["proof"] = nullptr;
    CHECK(shop.fault(changed) == "malformed_proof /disclosures/1/proof");
    CHECK(shop.fault(json::object()) == "no proof");
    CHECK(shop.fault(json::array({json{{"proof", 1}}})) == "malformed_proof /0/proof");
}

TEST_CASE("no proof of one thing shows another") {
    const Shop shop;
    const auto erased = shop.erased("user_id", "gone");
    const std::vector<std::pair<std::string, json>> answers{
        {"/disclosures/0", json::parse(shop.ask_for("disclosures?subject=user_id:u1"))},
        {"/accesses/0", json::parse(shop.ask_for("access?subject=user_id:u1"))},
        {"/record", json::parse(shop.ask_for("records/" + shop.record + "?subject=user_id:u1"))},
        {"/batches/0", shop.batches()},
        {"/erasures/0", erased}};
    for (const auto& [at, answer] : answers) {
        const json::json_pointer place(at + "/proof");
        CAPTURE(at, answer.dump());
        REQUIRE(answer.contains(place));
        CHECK(shop.fault(answer) == "");
        for (const auto& [from, other] : answers) {
            if (from == at) continue;
            auto forged = answer;
            forged[place] = other[json::json_pointer(from + "/proof")];
            CAPTURE(from);
            CHECK(shop.fault(forged).starts_with("field_differs"));
        }
    }
}

TEST_CASE("what a proof does not say is not shown by leaving its kind out") {
    const Shop shop;
    auto row = json::parse(shop.ask_for("disclosures?subject=user_id:u1"));
    auto forged = row;
    forged["disclosures"][0]["proof"].erase("row");
    forged["disclosures"][0]["count"] = 7;
    CHECK(shop.fault(forged) == "field_differs /disclosures/0/row");
    forged["disclosures"][0].erase("row");
    forged["disclosures"][0].erase("decision");
    CHECK(shop.fault(forged) == "field_differs /disclosures/0");
    auto said = json::parse(shop.ask_for("records/" + shop.record + "?subject=user_id:u1"));
    said["record"].erase("kind");
    CHECK(shop.fault(said) == "field_differs /record");
}

TEST_CASE("what was added without a proof is named") {
    const Shop shop;
    auto forged = json::parse(shop.ask_for("disclosures?subject=user_id:u1"));
    auto added = forged["disclosures"][0];
    added.erase("proof");
    forged["disclosures"].push_back(added);
    CHECK(shop.fault(forged) == "malformed_proof /disclosures/2/proof");
    CHECK(api::check_audit(forged.dump(), shop.trusted())->unproved == 1);
    auto said = json::parse(shop.ask_for("consent?subject=user_id:u1&as_of=" + Shop::now()));
    said["withdrawal"] = said["proofs"][0];
    said["withdrawal"].erase("proof");
    CHECK(shop.fault(said) == "malformed_proof /withdrawal/proof");
}

TEST_CASE("members that no proof covers are named") {
    const Shop shop;
    const auto uncovered = [&](const std::string& what) {
        const auto text = shop.ask_for(what);  // which publishes
        return api::check_audit(text, shop.trusted())->uncovered;
    };
    using Places = std::set<std::string>;
    CHECK(uncovered("disclosures?subject=user_id:u1") ==
          Places{"/person", "/subject", "/gaps", "/erased", "/next", "/disclosures/*/identifier",
                 "/disclosures/*/records"});
    (void)uncovered("access?subject=user_id:u1&reason=case%207");
    const auto looked = uncovered("access?subject=user_id:u1&reason=case%207");
    CHECK(looked.contains("/accesses/*/reason"));
    CHECK_FALSE(looked.contains("/accesses/*/route"));
    CHECK(uncovered("records/" + shop.record + "?subject=user_id:u1")
              .contains("/record/identifiers"));
    CHECK(uncovered("recipients?subject=user_id:u1").contains("/recipients/*/purposes"));
    // Whoever forges an answer may write there what they like, and is named.
    auto forged = json::parse(shop.ask_for("disclosures?subject=user_id:u1"));
    forged["verdict"] = "nothing left";
    CHECK(api::check_audit(forged.dump(), shop.trusted())->uncovered.contains("/verdict"));
}

TEST_CASE("a file that is no document is called a file") {
    const auto error = api::check_audit("{", {}).error();
    CHECK(error.reason == "file_not_json");
    CHECK(error.message.starts_with("The file is not JSON"));
}

TEST_CASE("an erasure is shown as the ledger has it") {
    const Shop shop;
    const auto erased = shop.erased("user_id", "u1");
    CAPTURE(erased.dump());
    CHECK(shop.fault(erased) == "");
    REQUIRE(erased.at("erasures").size() == 1);
    CHECK_FALSE(erased.at("erasures")[0].at("erasure").at("recipients").empty());
    CHECK(api::check_audit(erased.dump(), shop.trusted())
              ->uncovered.contains("/erasures/*/erasure/recipients/*/status"));
    std::size_t tried = 0;
    const auto flat = erased.at("erasures")[0].at("erasure").flatten();
    for (const auto& [place, value] : flat.items()) {
        // Our word: who asked and why, in which words it is told, where a recipient is reached and
        // how far it has come.
        if (place == "/author" || place == "/reason" || place.ends_with("/basis") ||
            place.ends_with("/contact") || place.ends_with("/deletion_endpoint") ||
            place.ends_with("/status") || place.ends_with("/since"))
            if (place != "/status") continue;
        auto changed = erased;
        changed["erasures"][0]["erasure"][json::json_pointer(place)] = edited(value);
        CAPTURE(place);
        CHECK(shop.fault(changed).starts_with("field_differs /erasures/0/erasure/"));
        ++tried;
    }
    CHECK(tried > 15);
    auto changed = erased;
    changed["erasures"][0]["erasure"].erase("recipients");
    CHECK(shop.fault(changed) == "field_differs /erasures/0/erasure/recipients");
    changed = erased;
    changed["erasures"][0].erase("proof");
    CHECK(shop.fault(changed) == "no proof");
    CHECK_FALSE(api::check_audit(changed.dump(), shop.trusted())->verified());
}

TEST_CASE("the verb says by its exit whether an answer holds") {
    const Shop shop;
    const auto path = (std::filesystem::temp_directory_path() /
                       ("cdp-audit-" + std::to_string(::getpid()) + ".json"))
                          .string();
    const auto verify = [&](const std::string& text) {
        std::ofstream(path, std::ios::binary) << text;
        return run(
            {"cdp", "audit", "verify", path, "--key", shop.trusted().back().str(), "--json"});
    };
    const auto text = shop.ask_for("disclosures?subject=user_id:u1");
    CHECK(verify(text) == 0);
    CHECK(verify("{}") == 1);
    CHECK(verify("{") == 2);
    auto changed = json::parse(text);
    changed["disclosures"][0]["count"] = 7;
    CHECK(verify(changed.dump()) == 1);
    std::filesystem::remove(path);
    CHECK(run({"cdp", "audit", "verify", path, "--key", shop.trusted().back().str()}) == 2);
}
