#include "api/iab_request.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"

namespace api {
namespace {

using nlohmann::json;

constexpr std::string_view kVersion = "1.0";
constexpr std::size_t kIdBytesMax = 128;
constexpr std::size_t kValueBytesMax = 512;
constexpr std::size_t kTimestampDigits = 10;

cdp::Result<const json*> object_member(const json& body, const char* name) {
    const auto found = body.find(name);
    if (found == body.end() || !found->is_object())
        return invalid(found == body.end() ? "member_missing" : "wrong_type",
                       "An object is expected here.", std::string("/") + name);
    return &*found;
}

// Without dots: the version stands before it unseparated, and must end where it ends.
bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= kIdBytesMax && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
    });
}

cdp::Result<std::string> read_id(const json& body, const char* name) {
    auto id = CDP_TRY(required_member(body, name, ""));
    if (!is_id(id))
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

cdp::Result<void> read_identifier(const json& body, IabRequest& out) {
    const auto* object = CDP_TRY(object_member(body, "fpIdentifier"));
    const std::string pointer = "/fpIdentifier";
    out.value = CDP_TRY(required_member(*object, "identifierValue", pointer));
    if (out.value.size() > kValueBytesMax)
        return invalid("malformed_identifier", "An identifier has at most 512 bytes.",
                       pointer + "/identifierValue");
    out.type = CDP_TRY(required_member(*object, "identifierType", pointer));
    out.format = CDP_TRY(required_member(*object, "identifierFormat", pointer));
    return cdp::Result<void>::ok();
}

cdp::Result<IabSigned> read_signed(const json& body, const char* name) {
    const auto* object = CDP_TRY(object_member(body, name));
    const auto pointer = std::string("/") + name;
    IabSigned out;
    out.domain = CDP_TRY(required_member(*object, "domain", pointer));
    out.signature = CDP_TRY(required_member(*object, "signature", pointer));
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
    return cdp::Result<void>::ok();
}

cdp::Result<void> check_type(const IabRequest& request, const IabSigned& by,
                             const IabConfig& config) {
    const auto& types = config.find(by.domain)->identifier_types;
    if (std::ranges::find(types, request.type) != types.end()) return cdp::Result<void>::ok();
    return cdp::Error{cdp::ErrorCode::forbidden,
                      "identifier_type_forbidden",
                      "This domain may not send identifiers of this type.",
                      "/fpIdentifier/identifierType",
                      {}};
}

std::string id_in(const json& body, const char* name) {
    const auto found = body.find(name);
    if (found == body.end() || !found->is_string() || !is_id(found->get_ref<const std::string&>()))
        return "";
    return found->get<std::string>();
}

}  // namespace

cdp::Result<IabRequest> read_iab_request(std::string_view body) {
    const auto said = CDP_TRY(parse_json(body));
    if (!said.is_object()) return invalid("wrong_type", "An object is expected here.");
    IabRequest out;
    out.version = CDP_TRY(required_member(said, "version", ""));
    if (out.version != kVersion)
        return invalid("version_unsupported", "Version 1.0 is spoken here.", "/version");
    out.request_id = CDP_TRY(read_id(said, "fpRequestId"));
    out.transaction_id = CDP_TRY(read_id(said, "rqTransactionId"));
    out.timestamp = CDP_TRY(read_timestamp(said));
    CDP_CHECK(read_identifier(said, out));
    out.origin = CDP_TRY(read_signed(said, "origin"));
    out.requester = CDP_TRY(read_signed(said, "requester"));
    return out;
}

IabIds iab_ids_in(std::string_view body) {
    const auto said = parse_json(body);
    if (!said || !said->is_object()) return {};
    return {.request_id = id_in(*said, "fpRequestId"),
            .transaction_id = id_in(*said, "rqTransactionId")};
}

cdp::Result<OpenDsrIdentity> iab_identity(const IabRequest& request, const IabConfig& config) {
    const auto type = config.identifier_types.find(request.type);
    if (type == config.identifier_types.end())
        return invalid("identifier_type_unknown", "Identifiers of this type are not known here.",
                       "/fpIdentifier/identifierType");
    OpenDsrIdentity out{
        .type = type->second, .value = request.value, .hash = {}, .pointer = "/fpIdentifier"};
    CDP_CHECK(read_identity_format(request.format,
                                   {.reason = "identifier_format_unknown",
                                    .format = "/fpIdentifier/identifierFormat",
                                    .value = "/fpIdentifier/identifierValue"},
                                   out));
    return out;
}

cdp::Result<void> verify_iab_requester(const IabRequest& request, const IabConfig& config) {
    return verify(request, request.requester, "/requester", config);
}

cdp::Result<void> verify_iab_request(const IabRequest& request, const IabConfig& config,
                                     cdp::Timestamp now) {
    CDP_CHECK(verify(request, request.origin, "/origin", config));
    CDP_CHECK(verify_iab_requester(request, config));
    CDP_CHECK(check_type(request, request.origin, config));
    CDP_CHECK(check_type(request, request.requester, config));
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
