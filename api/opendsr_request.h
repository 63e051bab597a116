#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/opendsr_config.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/hash_search.h"

// The body of POST /v2/requests; docs/decisions/0032 says what is made of what the specification
// leaves open.
namespace api {

inline constexpr std::size_t kIdentitiesMax = 50;
inline constexpr std::size_t kCallbackUrlsMax = 8;
inline constexpr std::size_t kCallbackBytesMax = 8 * 1024;  // together
inline constexpr std::chrono::minutes kSubmittedAheadMax{5};
inline constexpr std::chrono::days kSubmittedAgoMax{45};

enum class OpenDsrType { access, portability, erasure };

std::string_view to_string(OpenDsrType type);

struct OpenDsrIdentity {
    std::string type;                        // of ours
    std::string value;                       // as sent; of a hash, lower-case hexadecimal
    std::optional<cdp::HashKind> hash = {};  // nullopt: raw
    std::string pointer;                     // of the object that names it
};

// What is said where a format cannot be, and of which places.
struct IdentityFormatPlaces {
    const char* reason;
    std::string format;
    std::string value;
};
// Makes `identity`, whose value is as sent, what `format` says: raw, sha1, md5 or sha256. Errors:
// invalid_argument, the reason given and malformed_hash.
cdp::Result<void> read_identity_format(std::string_view format, const IdentityFormatPlaces& places,
                                       OpenDsrIdentity& identity);

struct OpenDsrRequest {
    std::string id;
    OpenDsrType type = OpenDsrType::erasure;
    std::string regulation = "gdpr";  // or ccpa
    cdp::Timestamp submitted{};
    std::string api_version;  // empty: not said
    std::vector<OpenDsrIdentity> identities = {};
    std::vector<std::string> callback_urls = {};
};

struct OpenDsrReading {
    std::string_view domain;  // ours: whose extension is read
    const IdentityTypes& identity_types;
    cdp::Timestamp now;
};

// A lower-case UUID of version 4.
bool is_subject_request_id(std::string_view text);

// Errors, all invalid_argument with a pointer: those of parse_json; member_missing, wrong_type,
// request_id_malformed, request_type_unknown, regulation_missing, regulation_unknown,
// api_version_unsupported, malformed_time, submitted_in_future, submitted_too_long_ago,
// identities_missing, too_many_identities, identity_type_unknown, identity_format_unknown,
// malformed_hash, too_many_callbacks, url_malformed.
cdp::Result<OpenDsrRequest> read_opendsr_request(std::string_view body,
                                                 const OpenDsrReading& reading);

}  // namespace api
