#include "api/iab_request.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/parameters.h"

namespace api {
namespace {

using nlohmann::json;

constexpr std::string_view kVersion = "1.0";
constexpr std::size_t kIdBytesMax = 128;
constexpr std::size_t kValueBytesMax = 512;
constexpr std::size_t kTimestampDigits = 10;

cdp::Result<std::string> required(const json& object, const char* name,
                                  const std::string& pointer) {
    auto text = CDP_TRY(string_member(object, name, pointer));
    if (text.empty())
        return invalid("member_missing", "A string is expected here.", pointer + "/" + name);
    return text;
}

cdp::Result<const json*> object_member(const json& body, const char* name) {
    const auto found = body.find(name);
    if (found == body.end() || !found->is_object())
        return invalid(found == body.end() ? "member_missing" : "wrong_type",
                       "An object is expected here.", std::string("/") + name);
    return &*found;
}

// Without dots: the version stands before it unseparated, and must end where it ends.
cdp::Result<std::string> read_id(const json& body, const char* name) {
    auto id = CDP_TRY(required(body, name, ""));
    const bool plain = std::ranges::all_of(id, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
    });
    if (!plain || id.size() > kIdBytesMax)
        return invalid("malformed_id", "An id has 1 to 128 letters, digits, - and _.",
                       std::string("/") + name);
    return id;
}

// A number in the draft's table, a string in its examples.
cdp::Result<std::string> read_timestamp(const json& body) {
    const auto found = body.find("fpTimestamp");
    std::string text;
    if (found != body.end() && found->is_string()) text = found->get<std::string>();
    if (found != body.end() && found->is_number_unsigned())
        text = std::to_string(found->get<std::uint64_t>());
    const bool digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || text.size() != kTimestampDigits)
        return invalid("malformed_time", "Seconds since 1970 are expected here.", "/fpTimestamp");
    return text;
}

cdp::Result<void> read_identifier(const json& body, const IabConfig& config, IabRequest& out) {
    const auto* object = CDP_TRY(object_member(body, "fpIdentifier"));
    const std::string pointer = "/fpIdentifier";
    out.value = CDP_TRY(required(*object, "identifierValue", pointer));
    if (out.value.size() > kValueBytesMax)
        return invalid("malformed_identifier", "An identifier has at most 512 bytes.",
                       pointer + "/identifierValue");
    out.type = CDP_TRY(required(*object, "identifierType", pointer));
    const auto type = config.identifier_types.find(out.type);
    if (type == config.identifier_types.end())
        return invalid("identifier_type_unknown", "Identifiers of this type are not known here.",
                       pointer + "/identifierType");
    out.identity = {.type = type->second, .value = out.value, .hash = {}, .pointer = pointer};
    const auto format = CDP_TRY(required(*object, "identifierFormat", pointer));
    if (format == "raw") return cdp::Result<void>::ok();
    for (const auto kind : {cdp::HashKind::md5, cdp::HashKind::sha1, cdp::HashKind::sha256})
        if (to_string(kind) == format) out.identity.hash = kind;
    if (!out.identity.hash)
        return invalid("identifier_format_unknown", "The format is raw, sha1, md5 or sha256.",
                       pointer + "/identifierFormat");
    const auto hex = read_hash(*out.identity.hash, out.value);
    if (!hex)
        return invalid("malformed_hash", "That is no such hash in hexadecimal.",
                       pointer + "/identifierValue");
    out.identity.value = *hex;
    return cdp::Result<void>::ok();
}

cdp::Result<IabSigned> read_signed(const json& body, const char* name) {
    const auto* object = CDP_TRY(object_member(body, name));
    const auto pointer = std::string("/") + name;
    IabSigned out;
    out.domain = CDP_TRY(required(*object, "domain", pointer));
    out.signature = CDP_TRY(required(*object, "signature", pointer));
    return out;
}

cdp::Result<void> verify(const IabRequest& request, const IabSigned& by, const std::string& pointer,
                         const IabConfig& config) {
    const auto* party = config.find(by.domain);
    if (!party)
        return cdp::Error{cdp::ErrorCode::forbidden,
                          "party_unknown",
                          "This domain is not registered here.",
                          pointer + "/domain",
                          {}};
    const auto digest = iab_digest(request, by.domain);
    const bool good = std::ranges::any_of(party->keys, [&](const std::string& key) {
        return is_iab_signature(key, digest, by.signature);
    });
    if (!good)
        return cdp::Error{cdp::ErrorCode::unauthenticated,
                          "signature_wrong",
                          "The signature is not one of this request.",
                          pointer + "/signature",
                          {}};
    const auto& types = party->identifier_types;
    if (std::ranges::find(types, request.type) == types.end())
        return cdp::Error{cdp::ErrorCode::forbidden,
                          "identifier_type_forbidden",
                          "This domain may not send identifiers of this type.",
                          "/fpIdentifier/identifierType",
                          {}};
    return cdp::Result<void>::ok();
}

}  // namespace

cdp::Result<IabRequest> read_iab_request(std::string_view body, const IabConfig& config) {
    const auto said = CDP_TRY(parse_json(body));
    if (!said.is_object()) return invalid("wrong_type", "An object is expected here.");
    IabRequest out;
    out.version = CDP_TRY(required(said, "version", ""));
    if (out.version != kVersion)
        return invalid("version_unsupported", "Version 1.0 is spoken here.", "/version");
    out.request_id = CDP_TRY(read_id(said, "fpRequestId"));
    out.transaction_id = CDP_TRY(read_id(said, "rqTransactionId"));
    out.timestamp = CDP_TRY(read_timestamp(said));
    CDP_CHECK(read_identifier(said, config, out));
    out.origin = CDP_TRY(read_signed(said, "origin"));
    out.requester = CDP_TRY(read_signed(said, "requester"));
    return out;
}

cdp::Result<void> verify_iab_requester(const IabRequest& request, const IabConfig& config) {
    return verify(request, request.requester, "/requester", config);
}

cdp::Result<void> verify_iab_request(const IabRequest& request, const IabConfig& config,
                                     cdp::Timestamp now) {
    CDP_CHECK(verify(request, request.origin, "/origin", config));
    CDP_CHECK(verify_iab_requester(request, config));
    std::int64_t seconds = 0;
    std::from_chars(request.timestamp.data(), request.timestamp.data() + request.timestamp.size(),
                    seconds);
    const auto made = cdp::timestamp_of(seconds * 1000);
    if (made > now + kSubmittedAheadMax)
        return invalid("request_in_future", "The request was made in the future.", "/fpTimestamp");
    if (made < now - kSubmittedAgoMax)
        return invalid("request_expired", "The request was made more than 45 days ago.",
                       "/fpTimestamp");
    return cdp::Result<void>::ok();
}

}  // namespace api
