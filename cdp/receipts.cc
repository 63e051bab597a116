#include "cdp/receipts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "cdp/base/bytes.h"
#include "cdp/refuse.h"
#include "consent/entry.h"
#include "consent/policy.h"
#include "consent/rows.h"
#include "consent/tiles.h"
#include "identity/identifier.h"
#include "storage/key.h"
#include "storage/transaction.h"

namespace cdp {
namespace {

// What the GDPR's Art. 9 and 10 name, by the first word of a label.
constexpr std::array<std::string_view, 12> kSpecial{
    "health",    "biometric", "genetic", "religion", "belief",   "ethnicity",
    "political", "union",     "sexual",  "race",     "criminal", "philosophical"};

bool is_special(std::string_view label) {
    const auto first = label.substr(0, label.find_first_of("./"));
    return std::ranges::find(kSpecial, first) != kSpecial.end();
}

bool may_ask(const Principal& caller) {
    return caller.role == Role::officer || caller.role == Role::admin ||
           (caller.role == Role::source && caller.trust == Trust::server);
}

Error consent_unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "consent_unknown",
            .message = "Nothing with that id was answered for this identifier."};
}

Error not_published() {
    return {.code = ErrorCode::unavailable,
            .reason = "not_published_yet",
            .message = "The ledger has not published this yet; ask again in a second."};
}

bool overlaps(const std::vector<std::string>& registered, std::string_view purpose) {
    return std::ranges::any_of(registered, [&](const std::string& one) {
        return consent::covers(one, purpose) || consent::covers(purpose, one);
    });
}

// Who receives what by the answer: the channels it names, or else all that are registered for its
// purpose.
void add_recipients(const consent::Policy& policy, const consent::Record& record,
                    consent::ReceiptWords& words) {
    std::set<std::string> labels(record.labels.begin(), record.labels.end());
    for (const auto& channel : policy.channels) {
        const bool named = std::ranges::find(record.channels, channel.id) != record.channels.end();
        if (record.channels.empty() ? !overlaps(channel.purposes, record.purpose) : !named)
            continue;
        words.recipients.push_back({.channel = channel.id,
                                    .name = channel.recipient,
                                    .country = channel.country,
                                    .contact = channel.contact,
                                    .role = channel.role});
        if (record.labels.empty())
            for (const auto& one : channel.labels) labels.insert(one.label);
    }
    // A channel that is no longer registered was named all the same.
    for (const auto& id : record.channels)
        if (!policy.find_channel(id)) words.recipients.push_back({.channel = id});
    words.data.assign(labels.begin(), labels.end());
    for (const auto& label : words.data)
        if (is_special(label)) words.special.push_back(label);
}

}  // namespace

// What the ledger holds a commitment to.
struct Receipts::Committed {
    consent::Sha256 salt = {};
    std::string bytes = {};
    consent::Record record = {};
};

Result<Shown> Receipts::make(const Principal& caller, const ReceiptRequest& request) const {
    if (!may_ask(caller))
        return Error{.code = ErrorCode::forbidden,
                     .reason = "server_source_required",
                     .message = "Receipts are made for server sources and officers only."};
    const auto form =
        identity::is_type_name(request.type) && request.type != kPersonType
            ? identity::normal_form(needs_.config.types.find(request.type), request.value,
                                    needs_.config.region_of(source_name(caller)))
            : std::variant<std::string, identity::Refusal>(identity::Refusal{});
    const auto* normal = std::get_if<std::string>(&form);
    if (!normal)
        return refuse("malformed_identifier",
                      "The value identifies nobody or does not have the form of its type.",
                      "/subject");
    const auto token = needs_.vault.token(request.type, *normal);
    const auto committed = CDP_TRY(find(token, request.record));
    const auto commitment =
        consent::commitment(consent::EntryType::record, committed.salt, committed.bytes);

    auto words = CDP_TRY(words_of(committed.record));
    words.identifier_type = request.type;
    words.identifier_value = *normal;
    const auto proof = CDP_TRY(needs_.ledger.prove(commitment));
    const auto& key = needs_.vault.ledger_key();
    if (!key) return not_published();
    const consent::NoteSigner signer(key->origin, key->seed);
    // After a rotation the first checkpoint of the new key is still to come.
    const std::array known{signer.verifier()};
    if (!consent::open_checkpoint(proof.checkpoint, known)) return not_published();

    const auto entry = CDP_TRY(needs_.store.snapshot()->get(consent::entry_key(proof.index)));
    if (!entry) return not_published();
    const consent::ReceiptEvidence evidence{
        .record = committed.bytes,
        .salt = committed.salt,
        .entry = *entry,
        .vkey = signer.verifier().str(),
        .proof = consent::render(proof),
        .statement = consent::sign_words(signer, commitment, words)};
    return Shown(
        CDP_TRY(consent::render_receipt(request.format, committed.record, words, evidence)),
        {.identifiers = {token}});
}

// Its time is in the key, so it is looked for by its id.
Result<Receipts::Committed> Receipts::find(const Token& token, const RecordId& id) const {
    const auto snapshot = needs_.store.snapshot();
    std::optional<std::pair<std::string, std::string>> found;
    CDP_CHECK(snapshot->scan(consent::records_prefix(token), {},
                             [&](std::string_view key, std::string_view sealed) {
                                 if (consent::id_in(key) == id) found.emplace(key, sealed);
                                 return !found;
                             }));
    if (!found) return consent_unknown();
    const auto key = CDP_TRY(needs_.vault.find(*snapshot, token));
    if (!key) return consent_unknown();
    // As it was stored, in whatever format that was: the commitment is to those bytes.
    const auto plain = CDP_TRY(storage::Vault::open(*key, found->first, found->second));
    auto opened = CDP_TRY(consent::open_row(*key, token, found->first, found->second));
    return Committed{.salt = opened.salt,
                     .bytes = plain.substr(opened.salt.size()),
                     .record = std::get<consent::Record>(std::move(opened.row))};
}

Result<consent::ReceiptWords> Receipts::words_of(const consent::Record& record) const {
    consent::ReceiptWords words{.issued = needs_.clock.now(),
                                .controller = needs_.config.controller};
    if (words.controller.name.empty() && needs_.vault.ledger_key())
        words.controller.name = needs_.vault.ledger_key()->origin;
    add_recipients(needs_.config.policy, record, words);
    CDP_CHECK(add_notice(record, words));
    return words;
}

// The text that was shown, if it was posted: that with the record's hash, else in its language.
Result<void> Receipts::add_notice(const consent::Record& record,
                                  consent::ReceiptWords& words) const {
    const auto& notice = record.notice;
    if (notice.id.empty() || notice.version.empty()) return Result<void>::ok();
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto posted = CDP_TRY(needs_.notices.versions(transaction, notice.id, notice.version));
    for (const auto& one : posted) {
        const auto hash = to_hex(consent::view(one.hash));
        if (!notice.hash.empty() && notice.hash != hash) continue;
        if (!notice.language.empty() && notice.language != one.language) continue;
        // Which of several languages it was, nobody knows.
        if (notice.hash.empty() && notice.language.empty() && posted.size() > 1) continue;
        words.notice_text = one.text;
        words.notice_url = one.url;
        words.notice_hash = hash;
        words.notice_language = one.language;
        break;
    }
    return Result<void>::ok();
}

}  // namespace cdp
