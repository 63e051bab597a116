#include <algorithm>

#include "consent/base64.h"
#include "consent/json_writer.h"
#include "consent/names.h"
#include "consent/receipt.h"

// The two documents. Field by field after the W3C's guide of ISO/IEC TS 27560:2023 in terms of the
// Data Privacy Vocabulary, and after Kantara's specification; where a term of theirs says less than
// ours, ours stands beside it as dct:identifier.
namespace consent {
namespace {

using namespace std::string_view_literals;

using Words = ReceiptWords;

constexpr Names kStatuses{
    std::pair{State::granted, "dpv:ConsentGiven"sv},
    std::pair{State::denied, "dpv:ConsentRefused"sv},
    std::pair{State::withdrawn, "dpv:ConsentWithdrawn"sv},
    std::pair{State::objected, "dpv:ConsentRefused"sv},
    std::pair{State::restricted, "dpv:ConsentRefused"sv},
    std::pair{State::pending_doi, "dpv:ConsentRequested"sv},
    std::pair{State::expired, "dpv:ConsentExpired"sv},
    std::pair{State::invalidated, "dpv:ConsentInvalidated"sv},
    std::pair{State::reconfirmed, "dpv:RenewedConsentGiven"sv},
    std::pair{State::not_applicable, "dpv:ConsentUnknown"sv},
    std::pair{State::noticed, "dpv:ConsentUnknown"sv},
};

constexpr Names kBases{
    std::pair{Basis::consent, "dpv:ExpressedConsent"sv},
    std::pair{Basis::explicit_consent, "dpv:ExplicitlyExpressedConsent"sv},
    std::pair{Basis::contract, "dpv:Contract"sv},
    std::pair{Basis::legal_obligation, "dpv:LegalObligation"sv},
    std::pair{Basis::vital, "dpv:VitalInterest"sv},
    std::pair{Basis::public_task, "dpv:PublicInterest"sv},
    std::pair{Basis::legitimate_interest, "dpv:LegitimateInterest"sv},
    std::pair{Basis::soft_opt_in, "dpv:ImpliedConsent"sv},
    std::pair{Basis::casl_implied_2y, "dpv:ImpliedConsent"sv},
    std::pair{Basis::casl_implied_6m, "dpv:ImpliedConsent"sv},
    std::pair{Basis::opt_out_regime, "dpv:LegalBasis"sv},
    std::pair{Basis::kr_trade_6m, "dpv:LegalBasis"sv},
};

constexpr Names kRoles{
    std::pair{ChannelRole::processor, "dpv:DataProcessor"sv},
    std::pair{ChannelRole::third_party, "dpv:ThirdParty"sv},
    std::pair{ChannelRole::joint, "dpv:JointDataControllers"sv},
};

// As a UUID is written; what another system gave it stands as it is.
std::string receipt_id(const Record& record) {
    if (!record.receipt_id.empty()) return record.receipt_id;
    auto id = cdp::to_hex(record.id.view());
    for (const std::size_t dash : {8U, 13U, 18U, 23U}) id.insert(dash, 1, '-');
    return id;
}

std::string subject(const Words& words) {
    return words.identifier_type + ":" + words.identifier_value;
}

const std::string& either(const std::string& first, const std::string& second) {
    return first.empty() ? second : first;
}

bool is_special(const Words& words, const std::string& label) {
    return std::ranges::find(words.special, label) != words.special.end();
}

bool discloses(const Words& words) {
    return std::ranges::any_of(words.recipients, [](const ReceiptRecipient& one) {
        return one.role != ChannelRole::processor;
    });
}

void write_evidence(JsonWriter& out, const ReceiptEvidence& evidence) {
    out.open("evidence");
    out.text("record", to_base64(evidence.record));
    out.text("salt", to_base64(view(evidence.salt)));
    out.text("entry", to_base64(evidence.entry));
    out.text("vkey", evidence.vkey);
    out.text("proof", evidence.proof);
    out.text("statement", evidence.statement);
    out.close();
}

void write_context(JsonWriter& out) {
    out.open("@context");
    out.text("dpv", "https://w3id.org/dpv#");
    out.text("dct", "http://purl.org/dc/terms/");
    out.text("schema", "https://schema.org/");
    out.open("evidence").text("@id", "urn:cdp:receipt:evidence").text("@type", "@json").close();
    out.close();
}

void write_notice(JsonWriter& out, const Record& record, const Words& words) {
    const auto& notice = record.notice;
    const auto& hash = either(notice.hash, words.notice_hash);
    if (notice.id.empty() && hash.empty()) return;
    out.open("dpv:hasNotice").text("@type", "dpv:ConsentNotice");
    out.text_if("dct:identifier", notice.id).text_if("dct:hasVersion", notice.version);
    out.text_if("dct:language", either(notice.language, words.notice_language));
    out.text_if("dct:references", either(notice.url, words.notice_url));
    out.text_if("schema:sha256", hash).text_if("dct:description", words.notice_text);
    out.close();
}

const std::vector<std::string>& data_of(const Record& record, const Words& words) {
    return record.labels.empty() ? words.data : record.labels;
}

void write_data(JsonWriter& out, const Record& record, const Words& words) {
    out.open_list("dpv:hasPersonalData");
    for (const auto& label : data_of(record, words)) {
        const bool special = is_special(words, label);
        out.open().text("@type", special ? "dpv:SpecialCategoryPersonalData" : "dpv:PersonalData");
        out.text("dct:identifier", label).close();
    }
    out.close_list();
}

void write_controller(JsonWriter& out, const Controller& one) {
    out.open("dpv:hasDataController").text("@type", "dpv:DataController");
    out.text_if("dct:identifier", either(one.url, one.name)).text_if("dpv:hasName", one.name);
    out.text_if("dpv:hasAddress", one.address).text_if("dpv:hasCountry", one.country);
    out.open_list("dpv:hasContact");
    for (const auto* text : {&one.contact, &one.email, &one.phone})
        if (!text->empty()) out.text({}, *text);
    out.close_list().close();
}

void write_recipients(JsonWriter& out, const Words& words) {
    out.open_list("dpv:hasRecipient");
    for (const auto& one : words.recipients) {
        out.open().text("@type", kRoles.name(one.role)).text("dct:identifier", one.channel);
        out.text_if("dpv:hasName", one.name).text_if("dpv:hasCountry", one.country);
        out.text_if("dpv:hasContact", one.contact).close();
    }
    out.close_list();
}

void write_storage(JsonWriter& out, const Controller& one) {
    if (one.storage.empty() && one.retention.empty()) return;
    out.open("dpv:hasStorageCondition").text("@type", "dpv:StorageCondition");
    out.text_if("dpv:hasLocation", one.storage).text_if("dpv:hasDuration", one.retention).close();
}

// What happened, when, and for how long it holds.
void write_event(JsonWriter& out, const Record& record) {
    out.open("dpv:hasConsentStatus").text("@type", kStatuses.name(record.state));
    out.text("dct:identifier", to_string(record.state));
    out.text("dct:date", cdp::format_time(record.time));
    out.text("dct:dateSubmitted", cdp::format_time(record.received));
    if (record.effective_from) out.text("dct:available", cdp::format_time(*record.effective_from));
    if (record.valid_until) out.text("dct:valid", cdp::format_time(*record.valid_until));
    out.text("dpv:isIndicatedBy", to_string(record.actor.kind));
    out.text("dpv:hasIndicationMethod", method_text(record));
    out.text("dpv:hasScope", to_string(record.scope)).close();
}

std::string render_27560(const Record& record, const Words& words,
                         const ReceiptEvidence& evidence) {
    JsonWriter out;
    out.open();
    write_context(out);
    out.text("@type", "dpv:ConsentReceipt");
    out.text("dct:conformsTo", "https://w3id.org/dpv/schema/dpv-27560#receipt-record");
    out.text("dct:identifier", receipt_id(record));
    out.text("dct:issued", cdp::format_time(words.issued));
    out.open("dct:source").text("@type", "dpv:ConsentRecord");
    out.text("dct:identifier", cdp::to_hex(record.id.view())).close();
    out.open("dpv:hasDataSubject").text("@type", "dpv:DataSubject");
    out.text("dct:identifier", subject(words)).close();
    write_notice(out, record, words);
    out.text_if("dct:language", either(record.notice.language, words.notice_language));
    out.open("dpv:hasPurpose").text("@type", "dpv:Purpose");
    out.text("dct:identifier", record.purpose).close();
    out.open("dpv:hasLegalBasis").text("@type", kBases.name(record.basis));
    out.text("dct:identifier", to_string(record.basis)).close();
    write_data(out, record, words);
    write_controller(out, words.controller);
    write_storage(out, words.controller);
    out.text_if("dpv:hasJurisdiction", record.jurisdiction);
    out.text_if("dpv:hasApplicableLaw", record.regime);
    out.text_if("dpv:hasService", words.controller.service);
    write_recipients(out, words);
    out.open("dpv:hasConsentControl").text("@type", "dpv:WithdrawConsent");
    out.text_if("dct:description", words.controller.withdrawal).close();
    write_event(out, record);
    write_evidence(out, evidence);
    out.close();
    return out.take() + "\n";
}

std::string_view consent_type(const Record& record) {
    switch (record.basis) {
        case Basis::consent:
        case Basis::explicit_consent: return "EXPLICIT";
        case Basis::soft_opt_in:
        case Basis::casl_implied_2y:
        case Basis::casl_implied_6m: return "IMPLICIT";
        default: return to_string(record.basis);
    }
}

void write_kantara_purpose(JsonWriter& out, const Record& record, const Words& words) {
    std::string names;
    for (const auto& one : words.recipients)
        if (one.role != ChannelRole::processor)
            names += (names.empty() ? "" : ", ") + either(one.name, one.channel);
    out.open().text("purpose", record.purpose);
    out.open_list("purposeCategory").text({}, record.purpose).close_list();
    out.text("consentType", consent_type(record)).texts("piiCategory", data_of(record, words));
    out.flag("primaryPurpose", record.basis == Basis::contract);
    out.text("termination", record.valid_until ? cdp::format_time(*record.valid_until)
                                               : words.controller.withdrawal);
    out.flag("thirdPartyDisclosure", discloses(words));
    out.text("thirdPartyName", names).close();
}

// Members that the specification demands are there even when there is nothing to say.
std::string render_kantara(const Record& record, const Words& words,
                           const ReceiptEvidence& evidence) {
    const auto& controller = words.controller;
    JsonWriter out;
    out.open().text("version", "KI-CR-v1.1.0");
    out.text("jurisdiction", either(record.jurisdiction, controller.country));
    out.number("consentTimestamp", cdp::milliseconds_of(record.time) / 1000);
    out.text("collectionMethod", method_text(record));
    out.text("consentReceiptID", receipt_id(record)).text("publicKey", evidence.vkey);
    out.text("language", either(record.notice.language, words.notice_language));
    out.text("piiPrincipalId", subject(words));
    out.open_list("piiControllers").open();
    out.text("piiController", controller.name).flag("onBehalf", false);
    out.text("contact", controller.contact);
    out.open("address").text("streetAddress", controller.address);
    out.text("addressCountry", controller.country).close();
    out.text("email", controller.email).text("phone", controller.phone);
    out.text("piiControllerUrl", controller.url).close().close_list();
    out.text("policyUrl",
             either(either(record.notice.url, words.notice_url), controller.policy_url));
    out.open_list("services").open();
    out.text("service", either(controller.service, controller.name)).open_list("purposes");
    write_kantara_purpose(out, record, words);
    out.close_list().close().close_list();
    out.flag("sensitive", !words.special.empty()).texts("spiCat", words.special);
    write_evidence(out, evidence);
    out.close();
    return out.take() + "\n";
}

}  // namespace

cdp::Result<std::string> render_receipt(ReceiptFormat format, const Record& record,
                                        const ReceiptWords& words,
                                        const ReceiptEvidence& evidence) {
    if (format == ReceiptFormat::ts27560) return render_27560(record, words, evidence);
    if (record.state != State::granted && record.state != State::reconfirmed)
        return cdp::Error{.code = cdp::ErrorCode::invalid_argument,
                          .reason = "receipt_format_lacks_state",
                          .message =
                              "A Kantara receipt can only tell of a consent that was "
                              "given; ask for 27560.",
                          .pointer = "/format"};
    return render_kantara(record, words, evidence);
}

}  // namespace consent
