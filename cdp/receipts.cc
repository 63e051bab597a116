#include "cdp/receipts.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/committed.h"
#include "cdp/named.h"
#include "consent/policy.h"
#include "consent/tiles.h"
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

Result<Shown> Receipts::make(const Principal& caller, const ReceiptRequest& request) const {
    if (!may_ask(caller))
        return Error{.code = ErrorCode::forbidden,
                     .reason = "server_source_required",
                     .message = "Receipts are made for server sources and officers only."};
    const auto normal = CDP_TRY(read_said(needs_.config, {request.type, request.value},
                                          needs_.config.region_of(source_name(caller)),
                                          NamedAt::whole("/subject")));
    const auto token = needs_.vault.token(request.type, normal);
    const auto committed =
        CDP_TRY(find_committed(*needs_.store.snapshot(), needs_.vault, token, request.record));
    // Stamps of SDKs have no receipt.
    const auto* record = committed ? std::get_if<consent::Record>(&committed->row) : nullptr;
    if (!record) return consent_unknown();
    const auto commitment = committed->commitment();

    auto words = CDP_TRY(words_of(*record));
    words.identifier_type = request.type;
    words.identifier_value = normal;
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
        .record = committed->bytes,
        .salt = committed->salt,
        .entry = *entry,
        .vkey = signer.verifier().str(),
        .proof = consent::render(proof),
        .statement = consent::sign_words(signer, commitment, words)};
    return Shown(CDP_TRY(consent::render_receipt(request.format, *record, words, evidence)),
                 {.identifiers = {token}});
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

// The text that was shown, if it was posted.
Result<void> Receipts::add_notice(const consent::Record& record,
                                  consent::ReceiptWords& words) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const auto shown = CDP_TRY(needs_.notices.shown(transaction, record.notice));
    if (!shown) return Result<void>::ok();
    words.notice_text = shown->text;
    words.notice_url = shown->url;
    words.notice_hash = to_hex(consent::view(shown->hash));
    words.notice_language = shown->language;
    return Result<void>::ok();
}

}  // namespace cdp
