#include "consent/receipt.h"

#include <algorithm>
#include <array>

#include "cdp/base/bytes.h"
#include "consent/base64.h"
#include "consent/checkpoint.h"
#include "consent/entry.h"
#include "consent/names.h"

namespace consent {
namespace {

using namespace std::string_view_literals;

constexpr Names kFormats{std::pair{ReceiptFormat::ts27560, "27560"sv},
                         std::pair{ReceiptFormat::kantara, "kantara"sv}};

// The first line of a statement. The second of a checkpoint is a number, here it is a hash.
constexpr std::string_view kStatement = "cdp-receipt/v1\n";
constexpr std::uint8_t kWordsFormat = 1;

cdp::Error fault(std::string reason, std::string message, std::string_view member) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = "/evidence/" + std::string(member)};
}

cdp::Error at(cdp::Error error, std::string_view member) {
    return fault(std::move(error.reason), std::move(error.message), member);
}

template <typename Self>
auto texts_of(Self& one) {
    return std::array{&one.name,    &one.contact, &one.address,   &one.country,
                      &one.email,   &one.phone,   &one.url,       &one.policy_url,
                      &one.service, &one.storage, &one.retention, &one.withdrawal};
}

void write_texts(cdp::ByteWriter& out, const std::vector<std::string>& texts) {
    out.u16(static_cast<std::uint16_t>(texts.size()));
    for (const auto& text : texts) out.bytes(text);
}

void read_texts(cdp::ByteReader& in, std::vector<std::string>& texts) {
    const auto count = in.u16();
    for (std::uint16_t i = 0; i < count && in.ok(); ++i) texts.emplace_back(in.bytes());
}

std::string encode(const ReceiptWords& words) {
    cdp::ByteWriter out;
    out.u8(kWordsFormat).i64(cdp::milliseconds_of(words.issued));
    out.bytes(words.identifier_type).bytes(words.identifier_value);
    for (const auto* text : texts_of(words.controller)) out.bytes(*text);
    out.u16(static_cast<std::uint16_t>(words.recipients.size()));
    for (const auto& one : words.recipients) {
        out.bytes(one.channel).bytes(one.name).bytes(one.country).bytes(one.contact);
        out.u8(static_cast<std::uint8_t>(one.role));
    }
    write_texts(out, words.data);
    write_texts(out, words.special);
    out.bytes(words.notice_text).bytes(words.notice_url).bytes(words.notice_hash);
    return out.bytes(words.notice_language).take();
}

std::optional<ReceiptWords> decode_words(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kWordsFormat) return std::nullopt;
    ReceiptWords words{.issued = cdp::timestamp_of(in.i64())};
    words.identifier_type = in.bytes();
    words.identifier_value = in.bytes();
    for (auto* text : texts_of(words.controller)) *text = in.bytes();
    const auto recipients = in.u16();
    for (std::uint16_t i = 0; i < recipients && in.ok(); ++i) {
        auto& one = words.recipients.emplace_back();
        one.channel = in.bytes();
        one.name = in.bytes();
        one.country = in.bytes();
        one.contact = in.bytes();
        const auto role = in.u8();
        if (role > static_cast<std::uint8_t>(ChannelRole::joint)) return std::nullopt;
        one.role = static_cast<ChannelRole>(role);
    }
    read_texts(in, words.data);
    read_texts(in, words.special);
    words.notice_text = in.bytes();
    words.notice_url = in.bytes();
    words.notice_hash = in.bytes();
    words.notice_language = in.bytes();
    return in.done() ? std::optional(std::move(words)) : std::nullopt;
}

cdp::Result<ReceiptWords> open_words(const std::string& note, const Sha256& commitment,
                                     std::span<const VerifierKey> trusted) {
    const auto opened = open_note(note, trusted);
    if (!opened) return at(opened.error(), "statement");
    const auto head = std::string(kStatement) + to_base64(view(commitment)) + "\n";
    std::string_view text = opened->text;
    if (!text.starts_with(kStatement))
        return fault("malformed_statement", "That is no statement of a receipt.", "statement");
    if (!text.starts_with(head))
        return fault("statement_foreign", "The statement is of another record.", "statement");
    text.remove_prefix(head.size());
    text.remove_suffix(1);
    const auto bytes = from_base64(text);
    auto words = bytes ? decode_words(*bytes) : std::nullopt;
    if (!words) return fault("malformed_statement", "The statement cannot be read.", "statement");
    return std::move(*words);
}

cdp::Result<Record> open_record(const ReceiptEvidence& evidence, const Sha256& committed) {
    if (commitment(EntryType::record, evidence.salt, evidence.record) != committed)
        return fault("commitment_differs",
                     "The record and its salt are not what the entry commits to.", "record");
    auto record = decode(evidence.record);
    if (!record) return fault("malformed_record", "The record cannot be read.", "record");
    return record;
}

}  // namespace

std::string_view to_string(ReceiptFormat value) {
    return kFormats.name(value);
}

std::optional<ReceiptFormat> parse_receipt_format(std::string_view name) {
    return kFormats.value(name);
}

std::string sign_words(const NoteSigner& signer, const Sha256& commitment,
                       const ReceiptWords& words) {
    return signer.sign(std::string(kStatement) + to_base64(view(commitment)) + "\n" +
                       to_base64(encode(words)) + "\n");
}

cdp::Result<ProvenReceipt> verify(const ReceiptEvidence& evidence,
                                  std::span<const VerifierKey> trusted) {
    const auto key = std::ranges::find(trusted, evidence.vkey, &VerifierKey::str);
    if (key == trusted.end())
        return fault("key_untrusted", "The receipt is signed with another key than the given.",
                     "vkey");
    const std::span signer(&*key, 1);

    const auto proof = parse_tlog_proof(evidence.proof);
    if (!proof) return at(proof.error(), "proof");
    // Nobody has signed that.
    if (proof->extra) return fault("malformed_tlog_proof", "The proof says too much.", "proof");
    const auto tree = verify(*proof, evidence.entry, signer);
    if (!tree) return at(tree.error(), "proof");
    const auto entry = decode_entry(evidence.entry);
    if (!entry || entry->type != EntryType::record)
        return fault("malformed_entry", "The entry is none of a record.", "entry");

    auto record = CDP_TRY(open_record(evidence, entry->commitment));
    auto words = CDP_TRY(open_words(evidence.statement, entry->commitment, signer));
    return ProvenReceipt{.record = std::move(record),
                         .words = std::move(words),
                         .index = proof->index,
                         .checkpoint = tree->checkpoint};
}

}  // namespace consent
