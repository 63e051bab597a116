#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/iab_config.h"
#include "api/opendsr_request.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"

// The body of a request of the IAB's Data Deletion Request Framework, and what is signed of it;
// docs/decisions/0032.
namespace api {

struct IabSigned {
    std::string domain;
    std::string signature;  // as sent
};

struct IabRequest {
    std::string version;
    std::string request_id;      // fpRequestId
    std::string transaction_id;  // rqTransactionId
    std::string timestamp;       // fpTimestamp, ten digits
    std::string type;            // of the identifier, as sent: it is not signed
    std::string format;          // alike
    std::string value;           // of the identifier, as sent: it is signed
    IabSigned origin;
    IabSigned requester;
};

// What raResultCode says; the draft names none, so it is the status.
inline constexpr int kIabAccepted = 202;

// What must be read to know who speaks. Errors: invalid_argument with a pointer: those of
// parse_json, member_missing, wrong_type, version_unsupported, malformed_id, malformed_time,
// malformed_identifier.
cdp::Result<IabRequest> read_iab_request(std::string_view body);

// By what a refusal is matched to its request, where that could not be read; empty: it is not
// there, or no id.
struct IabIds {
    std::string request_id;
    std::string transaction_id;
};
IabIds iab_ids_in(std::string_view body);

// Whom it names. Errors: invalid_argument with a pointer: identifier_type_unknown,
// identifier_format_unknown, malformed_hash.
cdp::Result<OpenDsrIdentity> iab_identity(const IabRequest& request, const IabConfig& config);

// That whoever sends it is registered and signed it. Errors: forbidden, party_unknown;
// unauthenticated, signature_wrong.
cdp::Result<void> verify_iab_requester(const IabRequest& request, const IabConfig& config);
// As well as that so is whoever it began with, not too long ago, and that both may send such an
// identifier. Errors as well: forbidden, identifier_type_forbidden; invalid_argument,
// request_expired and request_in_future.
cdp::Result<void> verify_iab_request(const IabRequest& request, const IabConfig& config,
                                     cdp::Timestamp now);

// What a party signs: the SHA-256 of the fields, unseparated; 32 bytes.
std::string iab_digest(const IabRequest& request, std::string_view domain);

// Ed25519 over the SHA-256 of `text`. A key is 32 bytes; a signature is sent as 0x and hexadecimal,
// and may come in hexadecimal or base64.
bool is_iab_signature(std::string_view key, std::string_view digest, std::string_view signature);

// RFC 4648 §5, without padding.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace api
