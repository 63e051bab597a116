#include "api/receipt_check.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "api/command_line.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/proof_file.h"
#include "consent/base64.h"

namespace api {
namespace {

using consent::ReceiptFormat;
using nlohmann::json;

cdp::Result<std::string> text_of(const json& evidence, const char* name) {
    const auto found = evidence.find(name);
    if (found == evidence.end() || !found->is_string())
        return invalid("malformed_receipt", "The receipt lacks a part of its evidence.",
                       std::string("/evidence/") + name);
    return found->get<std::string>();
}

cdp::Result<std::string> bytes_of(const json& evidence, const char* name) {
    const auto bytes = consent::from_base64(CDP_TRY(text_of(evidence, name)));
    if (!bytes)
        return invalid("malformed_receipt", "Base64 is expected here.",
                       std::string("/evidence/") + name);
    return *bytes;
}

cdp::Result<consent::ReceiptEvidence> evidence_of(const json& receipt) {
    const auto found = receipt.is_object() ? receipt.find("evidence") : receipt.end();
    if (found == receipt.end() || !found->is_object())
        return invalid("malformed_receipt", "That is no receipt: it has no evidence.", "/evidence");
    consent::ReceiptEvidence evidence;
    evidence.record = CDP_TRY(bytes_of(*found, "record"));
    evidence.entry = CDP_TRY(bytes_of(*found, "entry"));
    evidence.vkey = CDP_TRY(text_of(*found, "vkey"));
    evidence.proof = CDP_TRY(text_of(*found, "proof"));
    evidence.statement = CDP_TRY(text_of(*found, "statement"));
    const auto salt = CDP_TRY(bytes_of(*found, "salt"));
    if (salt.size() != evidence.salt.size())
        return invalid("malformed_receipt", "A salt has 32 bytes.", "/evidence/salt");
    std::copy(salt.begin(), salt.end(), evidence.salt.begin());
    return evidence;
}

// By a member that only one of them has, whatever it says.
ReceiptFormat format_of(const json& receipt) {
    return receipt.contains("consentReceiptID") || receipt.contains("piiPrincipalId")
               ? ReceiptFormat::kantara
               : ReceiptFormat::ts27560;
}

// The first place where two documents differ.
cdp::Result<void> compare(const json& due, const json& shown) {
    const auto changes = json::diff(due, shown);
    if (changes.empty()) return cdp::Result<void>::ok();
    return invalid("field_differs", "The receipt shows something else than was recorded.",
                   changes.front().value("path", ""));
}

std::string hint(const cdp::Error& error) {
    return (error.pointer.empty() ? "the receipt" : error.pointer) + ": " + error.message;
}

json rendered(const cdp::Result<CheckedReceipt>& checked) {
    if (!checked)
        return {{"verified", false},
                {"code", checked.error().reason},
                {"pointer", checked.error().pointer},
                {"message", checked.error().message}};
    return {{"verified", true},          {"format", to_string(checked->format)},
            {"record", checked->record}, {"purpose", checked->purpose},
            {"state", checked->state},   {"ledger", checked->origin},
            {"index", checked->index},   {"size", checked->size}};
}

void print(const cdp::Result<CheckedReceipt>& checked) {
    if (!checked) {
        std::printf("not verified: %s\n", hint(checked.error()).c_str());
        return;
    }
    std::printf("verified: record %s, %s of %s, is entry %llu of %llu in %s\n",
                checked->record.c_str(), checked->state.c_str(), checked->purpose.c_str(),
                static_cast<unsigned long long>(checked->index),
                static_cast<unsigned long long>(checked->size), checked->origin.c_str());
}

}  // namespace

cdp::Result<CheckedReceipt> check_receipt(std::string_view text,
                                          std::span<const consent::VerifierKey> trusted) {
    if (text.size() > kReceiptBytesMax)
        return invalid("receipt_too_large", "A receipt has at most 1 MiB.");
    const auto shown = CDP_TRY(parse_json(text, JsonFrom::file));
    const auto evidence = CDP_TRY(evidence_of(shown));
    const auto proven = CDP_TRY(consent::verify(evidence, trusted));

    const auto format = format_of(shown);
    const auto due =
        CDP_TRY(consent::render_receipt(format, proven.record, proven.words, evidence));
    const auto again = CDP_TRY(parse_json(due));
    CDP_CHECK(compare(again, shown));
    return CheckedReceipt{.format = format,
                          .record = cdp::to_hex(proven.record.id.view()),
                          .purpose = proven.record.purpose,
                          .state = std::string(to_string(proven.record.state)),
                          .index = proven.index,
                          .size = proven.checkpoint.size,
                          .origin = proven.checkpoint.origin};
}

int verify_receipt(const ReceiptCommand& command) {
    const auto keys = trusted_keys(command.keys);
    if (!keys) return fail(keys.error());
    const auto text = read_proof_file({command.file, kReceiptBytesMax, "receipt_unreadable"});
    if (!text) return fail(text.error());
    const auto checked = check_receipt(*text, *keys);
    if (command.json)
        std::printf("%s\n", rendered(checked).dump().c_str());
    else
        print(checked);
    const int printed = finish_output();
    return checked ? printed : int{kFailed};
}

}  // namespace api
