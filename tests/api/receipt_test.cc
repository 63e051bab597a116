#include "api/receipt_check.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "api/command_line.h"
#include "cdp/base/random.h"
#include "consent/rows.h"
#include "storage/key.h"
#include "tests/api/world.h"

namespace {

using nlohmann::json;
using tests::World;

// Somebody said yes with everything that can be said, and somebody else no.
struct Shop : World {
    Shop() {
        platform->publish_ledger();
        yes = record(R"({"identifiers":[{"type":"email","value":"A@shop.example"}],
            "purpose":"email_marketing","state":"granted","channels":["email_tool"],
            "jurisdiction":"KR","regime":"PIPA","method":"checkbox",
            "valid_until":"2099-01-01T00:00:00Z","labels":["contact.email"],
            "notice":{"id":"n1","version":"3","language":"ko","url":"https://shop.example/n1"}})");
        no = record(R"({"identifiers":[{"type":"email","value":"b@shop.example"}],
            "purpose":"email_marketing","state":"withdrawn"})");
        for (int tries = 0; platform->ledger().size() < 2; ++tries) {
            REQUIRE(tries < 2000);
            ::poll(nullptr, 0, 5);
        }
        trusted = platform->ledger().public_keys().value();
    }

    std::string record(const std::string& what) const {
        const auto reply = post("/v1/consents", till, R"({"consents":[)" + what + "]}");
        INFO(reply.body);
        REQUIRE(reply.status == 200);
        return reply.json()["records"][0];
    }
    tests::Reply ask_for(const std::string& id, const std::string& query) const {
        return get("/v1/receipts/" + id + query, keys.at(cdp::Role::officer));
    }
    std::string receipt(const char* format) const {
        const auto reply =
            ask_for(yes, std::string("?subject=email:a%40shop.example&format=") + format);
        INFO(reply.body);
        REQUIRE(reply.status == 200);
        return reply.body;
    }
    std::string fault(std::string_view text) const {
        const auto checked = api::check_receipt(text, trusted);
        return checked ? "verified" : checked.error().reason + " " + checked.error().pointer;
    }

    std::string yes;
    std::string no;
    std::vector<consent::VerifierKey> trusted;
};

constexpr const char* kFormats[] = {"27560", "kantara"};

// Every place that can be edited: leaves, and lists and objects that are empty.
std::vector<json::json_pointer> places(const json& receipt) {
    std::vector<json::json_pointer> out;
    const auto flat = receipt.flatten();
    for (const auto& [path, value] : flat.items()) out.emplace_back(path);
    return out;
}

json edited(const json& value) {
    if (value.is_string()) return value.get<std::string>() + "x";
    if (value.is_boolean()) return !value.get<bool>();
    if (value.is_number()) return value.get<std::int64_t>() + 1;
    return "x";
}

class File {
public:
    explicit File(std::string_view text)
        : path_(std::filesystem::temp_directory_path() /
                ("cdp-receipt-" + std::to_string(::getpid()) + ".json")) {
        std::ofstream(path_, std::ios::binary) << text;
    }
    ~File() { std::filesystem::remove(path_); }
    std::string str() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

int run(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    return api::run_command_line(static_cast<int>(argv.size()), argv.data());
}

TEST_CASE("a receipt verifies with the ledger's key alone, in both formats") {
    const Shop shop;
    for (const auto* format : kFormats) {
        CAPTURE(format);
        const auto text = shop.receipt(format);
        const auto checked = api::check_receipt(text, shop.trusted);
        REQUIRE(checked);
        CHECK(to_string(checked->format) == format);
        CHECK(checked->record == shop.yes);
        CHECK(checked->purpose == "email_marketing");
        CHECK(checked->state == "granted");
        CHECK(checked->index == 0);
        CHECK(checked->size == 2);
        // Layout is nobody's: a receipt may be printed, sorted and indented.
        CHECK(shop.fault(json::parse(text).dump(2)) == "verified");
    }
    const auto shown = json::parse(shop.receipt("27560"));
    CHECK(shown["dpv:hasDataSubject"]["dct:identifier"] == "email:a@shop.example");
    CHECK(shown["dpv:hasRecipient"][0]["dct:identifier"] == "email_tool");
    CHECK(shown["dpv:hasPersonalData"][0]["dct:identifier"] == "contact.email");
    CHECK(shown["dpv:hasApplicableLaw"] == "PIPA");
}

TEST_CASE("a receipt with any field edited, removed or added is refused by that field's name") {
    const Shop shop;
    for (const auto* format : kFormats) {
        const auto receipt = json::parse(shop.receipt(format));
        const auto all = places(receipt);
        CHECK(all.size() > 25);
        for (const auto& place : all) {
            CAPTURE(format, place.to_string());
            auto forged = receipt;
            forged[place] = edited(forged[place]);
            CHECK(shop.fault(forged.dump()).ends_with(" " + place.to_string()));

            forged = receipt;
            auto& parent = forged[place.parent_pointer()];
            if (!parent.is_object()) continue;
            parent.erase(place.back());
            // Without what tells the formats apart, it is compared with the other one.
            if (place.to_string() == "/consentReceiptID" || place.to_string() == "/piiPrincipalId")
                CHECK(shop.fault(forged.dump()) != "verified");
            else
                CHECK(shop.fault(forged.dump()).ends_with(" " + place.to_string()));
        }
        auto forged = receipt;
        forged["promise"] = "everything";
        CHECK(shop.fault(forged.dump()) == "field_differs /promise");
        forged = receipt;
        forged["evidence"]["more"] = "x";
        CHECK(shop.fault(forged.dump()) == "field_differs /evidence/more");
    }
}

TEST_CASE("evidence of one format does not carry the fields of the other") {
    const Shop shop;
    auto mixed = json::parse(shop.receipt("27560"));
    mixed["consentReceiptID"] = "x";
    CHECK(shop.fault(mixed.dump()).starts_with("field_differs"));
}

TEST_CASE("what is cut or is no receipt at all is refused") {
    const Shop shop;
    const auto text = shop.receipt("27560");
    for (std::size_t n = 0; n + 2 < text.size(); n += 41) {
        CAPTURE(n);
        CHECK(shop.fault(text.substr(0, n)) != "verified");
    }
    cdp::Random random(7);
    std::string junk;
    while (junk.size() < 64 * 1024) junk.push_back(static_cast<char>(random.below(256)));
    CHECK(shop.fault(junk) != "verified");
    CHECK(shop.fault(std::string(64 * 1024, '[')) != "verified");
    CHECK(shop.fault(std::string(api::kReceiptBytesMax + 1, ' ')) == "receipt_too_large ");
    for (const auto* no :
         {"", "{}", "[]", "null", "7", R"({"evidence":7})", R"({"evidence":{}})"}) {
        CAPTURE(no);
        const auto fault = shop.fault(no);
        CHECK((fault.starts_with("malformed_") || fault == "file_not_json "));
    }
}

TEST_CASE("a receipt outlives its record and the key that signed it") {
    Shop shop;
    const auto text = shop.receipt("kantara");
    {
        const auto snapshot = shop.store->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        REQUIRE(snapshot->scan(consent::records_prefix(shop.vault.token("email", "a@shop.example")),
                               {}, [&](std::string_view key, std::string_view) {
                                   transaction.erase(std::string(key));
                                   return true;
                               }));
        REQUIRE(commit_and_wait(*shop.store, std::move(transaction)).state ==
                storage::CommitState::ok);
    }
    CHECK(shop.ask_for(shop.yes, "?subject=email:a%40shop.example").refusal() ==
          "404 consent_unknown");
    CHECK(shop.fault(text) == "verified");

    const auto other = storage::Keyring::generate().ledger.value();
    const consent::NoteSigner stranger(other.origin, other.seed);
    const auto old = shop.trusted;
    shop.trusted = {stranger.verifier()};
    CHECK(shop.fault(text) == "key_untrusted /evidence/vkey");
    shop.trusted.push_back(old[0]);
    CHECK(shop.fault(text) == "verified");
}

TEST_CASE("who asks wrongly for a receipt is told how") {
    const Shop shop;
    const auto ask = [&](const std::string& id, const std::string& query) {
        return shop.ask_for(id, query).refusal();
    };
    const std::string anna = "?subject=email:a%40shop.example";
    CHECK(ask("x", anna) == "400 malformed_record_id /record");
    CHECK(ask(shop.yes + "00", anna) == "400 malformed_record_id /record");
    CHECK(ask(shop.yes, "") == "400 malformed_identifier /subject");
    CHECK(ask(shop.yes, "?subject=email:") == "400 malformed_identifier /subject");
    CHECK(ask(shop.yes, "?subject=email:nobody") == "400 malformed_identifier /subject");
    CHECK(ask(shop.yes, "?subject=person:" + shop.yes) == "400 person_not_identifier /subject");
    CHECK(ask(shop.yes, anna + "&format=pdf") == "400 format_unknown /format");
    CHECK(ask(shop.yes, "?subject=email:" + std::string(5000, 'a')).starts_with("4"));
    CHECK(ask(shop.yes, "?subject=email:b%40shop.example") == "404 consent_unknown");
    CHECK(ask(std::string(32, '0'), anna) == "404 consent_unknown");
    CHECK(ask(shop.no, "?subject=email:b%40shop.example&format=kantara") ==
          "400 receipt_format_lacks_state /format");
    const auto path = "/v1/receipts/" + shop.yes + anna;
    CHECK(shop.get(path, shop.till).status == 200);
    CHECK(shop.get(path, shop.keys.at(cdp::Role::admin)).status == 200);
    CHECK(shop.get(path, shop.keys.at(cdp::Role::source)).code() == "server_source_required");
    CHECK(shop.get(path, shop.keys.at(cdp::Role::channel)).status == 403);
    CHECK(shop.get(path, shop.keys.at(cdp::Role::officer)).header("cache-control") == "no-store");
}

TEST_CASE("what the ledger has not published yet has no receipt yet") {
    const World world;  // nobody publishes
    const auto reply = world.post("/v1/consents", world.till,
                                  R"({"consents":[{"identifiers":[{"type":"email","value":
            "a@shop.example"}],"purpose":"email_marketing","state":"granted"}]})");
    const auto id = reply.json()["records"][0].get<std::string>();
    const auto early = world.get("/v1/receipts/" + id + "?subject=email:a%40shop.example",
                                 world.keys.at(cdp::Role::officer));
    CHECK(early.refusal() == "503 not_published_yet");
    CHECK(early.header("retry-after") == "1");
}

TEST_CASE("cdp receipt verify says by its exit code whether the receipt holds") {
    const Shop shop;
    const auto text = shop.receipt("27560");
    const auto key = shop.trusted[0].str();
    const File good(text);
    CHECK(run({"cdp", "receipt", "verify", good.str(), "--key", key}) == 0);
    CHECK(run({"cdp", "receipt", "verify", "--key", key, good.str(), "--json"}) == 0);
    const auto other = storage::Keyring::generate().ledger.value();
    const auto foreign = consent::NoteSigner(other.origin, other.seed).verifier().str();
    CHECK(run({"cdp", "receipt", "verify", good.str(), "--key", foreign}) == 1);
    CHECK(run({"cdp", "receipt", "verify", good.str(), "--key", foreign, "--key", key}) == 0);
    CHECK(run({"cdp", "receipt", "verify", good.str()}) == 2);
    CHECK(run({"cdp", "receipt", "verify", "--key", key}) == 2);
    CHECK(run({"cdp", "receipt", "verify", good.str(), "--key", "no key"}) == 2);
    CHECK(run({"cdp", "receipt", "verify", good.str() + ".none", "--key", key}) == 2);
    auto forged = json::parse(text);
    forged["dpv:hasPurpose"]["dct:identifier"] = "everything";
    std::ofstream(good.str(), std::ios::trunc) << forged.dump();
    CHECK(run({"cdp", "receipt", "verify", good.str(), "--key", key}) == 1);
    std::ofstream(good.str(), std::ios::trunc) << text.substr(0, text.size() / 2);
    CHECK(run({"cdp", "receipt", "verify", good.str(), "--key", key, "--json"}) == 1);
}

}  // namespace
