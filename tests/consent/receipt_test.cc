#include "consent/receipt.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cdp/base/random.h"
#include "consent/tlog_proof.h"
#include "tests/consent/ledger_world.h"
#include "tests/support/seeds.h"

namespace {

using namespace consent;
using nlohmann::json;

struct Receipted : tests::LedgerWorld {
    // Every answer gets another salt, so the rows are where it is told.
    ReceiptEvidence evidence_of(const char* who) {
        const auto row_key = first_record_key(who);
        const auto key = vault->find(*store.snapshot(), tests::token(who)).value().value();
        const auto opened = open_row(key, tests::token(who), row_key, get(row_key)).value();
        record_shown = std::get<Record>(opened.row);
        ReceiptEvidence evidence{.record = encode(record_shown), .salt = opened.salt};
        const auto committed = commitment(EntryType::record, opened.salt, evidence.record);
        const auto proof = ledger->prove(committed).value();
        const NoteSigner signer(vault->ledger_key()->origin, vault->ledger_key()->seed);
        evidence.entry = get(entry_key(proof.index));
        evidence.vkey = signer.verifier().str();
        evidence.proof = render(proof);
        evidence.statement = sign_words(signer, committed, words);
        return evidence;
    }
    std::vector<VerifierKey> keys() const { return ledger->public_keys().value(); }

    ReceiptWords words{.issued = tests::day(9),
                       .identifier_type = "email",
                       .identifier_value = "a@shop.example",
                       .controller = {.name = "The shop", .country = "KR", .storage = "Seoul"},
                       .recipients = {{.channel = "tool",
                                       .name = "A sender",
                                       .country = "US",
                                       .contact = "dpo@sender.example",
                                       .role = ChannelRole::third_party}},
                       .data = {"contact.email", "health.allergy"},
                       .special = {"health.allergy"},
                       .notice_text = "We write \"now and then\".\n"};
    Record record_shown;
};

std::string fault(const ReceiptEvidence& evidence, const std::vector<VerifierKey>& trusted) {
    const auto proven = verify(evidence, trusted);
    return proven ? "verified" : proven.error().reason + " " + proven.error().pointer;
}

TEST_CASE("evidence gives record and words back to who has nothing but the key") {
    Receipted world;
    world.say("anna", State::granted);
    world.say("bela", State::denied);
    world.append(300);
    world.publish();
    const auto evidence = world.evidence_of("anna");
    const auto proven = verify(evidence, world.keys());
    REQUIRE(proven);
    CHECK(proven->record == world.record_shown);
    CHECK(proven->words == world.words);
    CHECK(proven->index == 0);
    CHECK(proven->checkpoint.size == 302);
}

TEST_CASE("no byte of the evidence can be another") {
    Receipted world;
    world.say("anna", State::granted);
    world.say("bela", State::granted);
    world.publish();
    const auto evidence = world.evidence_of("anna");
    const auto keys = world.keys();
    REQUIRE(fault(evidence, keys) == "verified");

    const auto seed = GENERATE(tests::seeds(300));
    CAPTURE(seed);
    cdp::Random random(seed);
    auto edited = evidence;
    struct Part {
        const char* name;
        std::string* text;
    };
    const std::array<Part, 5> parts{{{"record", &edited.record},
                                     {"entry", &edited.entry},
                                     {"vkey", &edited.vkey},
                                     {"proof", &edited.proof},
                                     {"statement", &edited.statement}}};
    const auto& part = parts[random.below(parts.size())];
    auto& byte = (*part.text)[random.below(part.text->size())];
    byte = static_cast<char>(byte ^ (1 << random.below(8)));
    CAPTURE(part.name);
    // The proof is of the entry, so either may be the one that is wrong.
    const auto found = fault(edited, keys);
    const bool named = found.ends_with(part.name) ||
                       (part.text == &edited.entry && found.ends_with("/evidence/proof"));
    CAPTURE(found);
    CHECK(named);
}

TEST_CASE("what proves one answer proves no other") {
    Receipted world;
    world.say("anna", State::granted);
    world.say("bela", State::denied);
    world.publish();
    const auto anna = world.evidence_of("anna");
    const auto bela = world.evidence_of("bela");
    const auto keys = world.keys();

    auto mixed = anna;
    mixed.proof = bela.proof;
    CHECK(fault(mixed, keys) == "proof_invalid /evidence/proof");
    mixed.entry = bela.entry;
    CHECK(fault(mixed, keys) == "commitment_differs /evidence/record");
    mixed.record = bela.record;
    CHECK(fault(mixed, keys) == "commitment_differs /evidence/record");
    mixed.salt = bela.salt;
    CHECK(fault(mixed, keys) == "statement_foreign /evidence/statement");
    mixed = anna;
    mixed.statement = world.ledger->checkpoint()->note;
    CHECK(fault(mixed, keys) == "malformed_statement /evidence/statement");
    mixed = anna;
    auto proof = parse_tlog_proof(anna.proof).value();
    proof.extra = "more";
    mixed.proof = render(proof);
    CHECK(fault(mixed, keys) == "malformed_tlog_proof /evidence/proof");
    // The statement is no checkpoint.
    CHECK_FALSE(open_checkpoint(anna.statement, keys));
}

TEST_CASE("what was committed as something else is no record") {
    Receipted world;
    world.say("anna", State::granted);
    world.append(1);
    world.publish();
    auto evidence = world.evidence_of("anna");
    const auto salt = sha256("0");
    const auto committed = commitment(EntryType::disclosures, salt, "batch");
    const auto proof = world.ledger->prove(committed).value();
    evidence.entry = world.get(entry_key(proof.index));
    evidence.proof = render(proof);
    CHECK(fault(evidence, world.keys()) == "malformed_entry /evidence/entry");
}

TEST_CASE("a receipt outlives the key that signed it, and the record") {
    Receipted world;
    world.say("anna", State::granted);
    world.publish();
    const auto old_keys = world.keys();
    const auto evidence = world.evidence_of("anna");
    world.rotate();
    world.erase(world.first_record_key("anna"));
    world.say("bela", State::granted);
    world.publish();
    const auto keys = world.keys();
    REQUIRE(keys.size() == 2);
    CHECK(fault(evidence, old_keys) == "verified");
    CHECK(fault(evidence, keys) == "verified");
    CHECK(fault(evidence, {keys[1]}) == "key_untrusted /evidence/vkey");
    CHECK(fault(evidence, {}) == "key_untrusted /evidence/vkey");
    CHECK(fault(world.evidence_of("bela"), {keys[1]}) == "verified");
}

TEST_CASE("the Kantara receipt has every member that the specification demands") {
    Receipted world;
    auto record = world.record("anna", State::granted);
    record.notice = {.id = "n", .version = "2", .language = "ko", .url = "https://shop.example/n"};
    const auto text = render_receipt(ReceiptFormat::kantara, record, world.words, {});
    REQUIRE(text);
    const auto shown = json::parse(*text);
    for (const auto* name :
         {"version", "jurisdiction", "consentTimestamp", "collectionMethod", "consentReceiptID",
          "publicKey", "language", "piiPrincipalId", "piiControllers", "policyUrl", "services",
          "sensitive", "spiCat", "evidence"}) {
        CAPTURE(name);
        CHECK(shown.contains(name));
    }
    CHECK(shown["version"] == "KI-CR-v1.1.0");
    CHECK(shown["consentTimestamp"] == 86400);
    CHECK(shown["consentReceiptID"] == "00000000-0000-0001-0000-000000000000");
    CHECK(shown["piiPrincipalId"] == "email:a@shop.example");
    CHECK(shown["jurisdiction"] == "KR");
    CHECK(shown["policyUrl"] == "https://shop.example/n");
    CHECK(shown["language"] == "ko");
    CHECK(shown["sensitive"] == true);
    CHECK(shown["spiCat"] == json{"health.allergy"});
    for (const auto* name : {"piiController", "contact", "address", "email", "phone"})
        CHECK(shown["piiControllers"][0].contains(name));
    const auto& purpose = shown["services"][0]["purposes"][0];
    CHECK(purpose["purpose"] == "news");
    CHECK(purpose["consentType"] == "EXPLICIT");
    CHECK(purpose["piiCategory"] == json{"contact.email", "health.allergy"});
    CHECK(purpose["thirdPartyDisclosure"] == true);
    CHECK(purpose["thirdPartyName"] == "A sender");
}

TEST_CASE("a Kantara receipt of anything but a consent is refused") {
    Receipted world;
    for (const auto state :
         {State::denied, State::withdrawn, State::objected, State::restricted, State::pending_doi,
          State::expired, State::invalidated, State::not_applicable, State::noticed}) {
        const auto text =
            render_receipt(ReceiptFormat::kantara, world.record("anna", state), world.words, {});
        REQUIRE_FALSE(text);
        CHECK(text.error().reason == "receipt_format_lacks_state");
    }
    CHECK(render_receipt(ReceiptFormat::kantara, world.record("anna", State::reconfirmed),
                         world.words, {}));
}

TEST_CASE("the 27560 receipt says the answer in the vocabulary's terms, and ours") {
    Receipted world;
    auto record = world.record("anna", State::withdrawn);
    record.jurisdiction = "KR";
    record.valid_until = tests::day(40);
    record.notice = {.id = "n", .version = "2", .hash = std::string(64, 'a'), .language = "ko"};
    const auto shown =
        json::parse(render_receipt(ReceiptFormat::ts27560, record, world.words, {}).value());
    CHECK(shown["@type"] == "dpv:ConsentReceipt");
    CHECK(shown["dpv:hasDataSubject"]["dct:identifier"] == "email:a@shop.example");
    CHECK(shown["dpv:hasPurpose"]["dct:identifier"] == "news");
    CHECK(shown["dpv:hasLegalBasis"]["@type"] == "dpv:ExpressedConsent");
    CHECK(shown["dpv:hasConsentStatus"]["@type"] == "dpv:ConsentWithdrawn");
    CHECK(shown["dpv:hasConsentStatus"]["dct:identifier"] == "withdrawn");
    CHECK(shown["dpv:hasConsentStatus"]["dct:date"] == "1970-01-02T00:00:00.000Z");
    CHECK(shown["dpv:hasConsentStatus"]["dct:valid"] == "1970-02-10T00:00:00.000Z");
    CHECK(shown["dpv:hasNotice"]["schema:sha256"] == std::string(64, 'a'));
    CHECK(shown["dpv:hasNotice"]["dct:description"] == "We write \"now and then\".\n");
    CHECK(shown["dpv:hasRecipient"][0]["@type"] == "dpv:ThirdParty");
    CHECK(shown["dpv:hasPersonalData"][1]["@type"] == "dpv:SpecialCategoryPersonalData");
    CHECK(shown["dpv:hasStorageCondition"]["dpv:hasLocation"] == "Seoul");
    CHECK(shown["dpv:hasJurisdiction"] == "KR");
}

// Receipts are verified by making them again.
TEST_CASE("the bytes of a receipt never change") {
    Receipted world;
    const auto record = world.record("anna", State::granted);
    const ReceiptEvidence evidence{
        .record = "r", .entry = "e", .vkey = "v", .proof = "p", .statement = "s"};
    const auto digest = [&](ReceiptFormat format) {
        const auto text = render_receipt(format, record, world.words, evidence).value();
        return cdp::to_hex(view(sha256(text)));
    };
    CHECK(digest(ReceiptFormat::ts27560) ==
          "e63e04d5e2991eb0114eeb670aa0c71c48ccade4d95ae2fe80ede5c0be3086fc");
    CHECK(digest(ReceiptFormat::kantara) ==
          "bee3f056adde4d43d4f555ac7fc752b9a401f8e8cf79ac892de77b11e78c9eef");
}

}  // namespace
