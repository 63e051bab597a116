#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/channel.h"
#include "consent/controller.h"
#include "consent/note.h"
#include "consent/record.h"
#include "consent/tlog_proof.h"

// What a person is given of an answer of theirs, with what proves it to anybody who has the
// ledger's public key. docs/decisions/0021 says what is proved by what. Pure.
namespace consent {

enum class ReceiptFormat : std::uint8_t {
    ts27560 = 1,  // ISO/IEC TS 27560:2023 as JSON-LD in terms of the Data Privacy Vocabulary
    kantara = 2,  // Kantara Consent Receipt 1.1
};

std::string_view to_string(ReceiptFormat value);
std::optional<ReceiptFormat> parse_receipt_format(std::string_view name);

struct ReceiptRecipient {
    std::string channel = {};
    std::string name = {};
    std::string country = {};
    std::string contact = {};
    ChannelRole role = ChannelRole::processor;

    friend bool operator==(const ReceiptRecipient&, const ReceiptRecipient&) = default;
};

// What a receipt shows and the record does not say: in the record an identifier is a keyed token, a
// recipient a channel, a notice its hash.
struct ReceiptWords {
    cdp::Timestamp issued{};
    std::string identifier_type = {};
    std::string identifier_value = {};
    Controller controller = {};
    std::vector<ReceiptRecipient> recipients = {};
    std::vector<std::string> data = {};     // classes of data it is about, unless the record says
    std::vector<std::string> special = {};  // those of them that laws protect most
    std::string notice_text = {};
    std::string notice_url = {};
    std::string notice_hash = {};
    std::string notice_language = {};

    friend bool operator==(const ReceiptWords&, const ReceiptWords&) = default;
};

// What goes with every receipt, whatever its format.
struct ReceiptEvidence {
    std::string record = {};  // the bytes that the ledger commits to
    Sha256 salt = {};
    std::string entry = {};      // of the ledger, as it is in the log
    std::string vkey = {};       // signs what follows
    std::string proof = {};      // a tlog-proof of the entry
    std::string statement = {};  // a signed note of the words

    friend bool operator==(const ReceiptEvidence&, const ReceiptEvidence&) = default;
};

// The note by which the ledger's key answers for the words of a receipt, of this record only. No
// checkpoint, and none can be made of it.
std::string sign_words(const NoteSigner& signer, const Sha256& commitment,
                       const ReceiptWords& words);

// The document. The same input gives the same text for ever: receipts are verified by making them
// again, so what must be said otherwise is another version. Error invalid_argument
// (receipt_format_lacks_state): Kantara's tells of consent that is given, of nothing else.
cdp::Result<std::string> render_receipt(ReceiptFormat format, const Record& record,
                                        const ReceiptWords& words, const ReceiptEvidence& evidence);

// What evidence proves by itself.
struct ProvenReceipt {
    Record record = {};
    ReceiptWords words = {};
    std::uint64_t index = 0;  // of the entry
    Checkpoint checkpoint = {};
};

// Needs nothing but the keys that are trusted. Errors invalid_argument, their pointer the member
// that does not hold: those of verify(TlogProof) and open_note, and key_untrusted, malformed_entry,
// commitment_differs, malformed_record, malformed_statement.
cdp::Result<ProvenReceipt> verify(const ReceiptEvidence& evidence,
                                  std::span<const VerifierKey> trusted);

}  // namespace consent
