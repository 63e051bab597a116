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
    std::string value;           // of the identifier, as sent: it is signed
    OpenDsrIdentity identity;
    IabSigned origin;
    IabSigned requester;
};

// What raResultCode says; the draft names none, so it is the status.
inline constexpr int kIabAccepted = 202;

// Errors: invalid_argument with a pointer: those of parse_json, member_missing, wrong_type,
// version_unsupported, malformed_id, malformed_time, identifier_type_unknown,
// identifier_format_unknown, malformed_identifier, malformed_hash.
cdp::Result<IabRequest> read_iab_request(std::string_view body, const IabConfig& config);

// That whoever sends it is registered, signed it, and may send such an identifier. Errors:
// forbidden, party_unknown and identifier_type_forbidden; unauthenticated, signature_wrong.
cdp::Result<void> verify_iab_requester(const IabRequest& request, const IabConfig& config);
// As well as that so is whoever it began with, not too long ago. Errors as well: invalid_argument,
// request_expired and request_in_future.
cdp::Result<void> verify_iab_request(const IabRequest& request, const IabConfig& config,
                                     cdp::Timestamp now);

// What a party signs: the SHA-256 of the fields, unseparated; 32 bytes.
std::string iab_digest(const IabRequest& request, std::string_view domain);

// Ed25519 over the SHA-256 of `text`. A key is 32 bytes; a signature is sent as 0x and hexadecimal,
// and may come in hexadecimal or base64.
bool is_iab_signature(std::string_view key, std::string_view digest, std::string_view signature);
std::string sign_iab(std::string_view seed, std::string_view text);
std::string iab_public_key(std::string_view seed);

// RFC 4648 §5, without padding.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace api
