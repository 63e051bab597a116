#include "api/opendsr_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/json.h"
#include "api/json_members.h"
#include "api/parameters.h"
#include "api/url.h"
#include "identity/identifier.h"

namespace api {
namespace {

using nlohmann::json;

constexpr unsigned kVersionServed = 2;

// What stands before the first dot; nullopt: no version.
std::optional<unsigned> major_version(std::string_view text) {
    unsigned major = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, major);
    const bool shaped =
        std::all_of(rest, end, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    if (error != std::errc() || text.size() > 16 || !shaped || (rest != end && *rest != '.'))
        return std::nullopt;
    return major;
}

cdp::Result<std::string> read_regulation(const json& body, const std::string& api_version) {
    auto regulation = CDP_TRY(string_member(body, "regulation", ""));
    const auto major = major_version(api_version.empty() ? "1" : api_version);
    if (!major || *major > kVersionServed || *major == 0)
        return invalid("api_version_unsupported", "Version 2.0 is spoken here.", "/api_version");
    if (regulation.empty() && *major >= 2)
        return invalid("regulation_missing", "regulation field is required.", "/regulation");
    if (regulation.empty()) return std::string("gdpr");
    if (regulation != "gdpr" && regulation != "ccpa")
        return invalid("regulation_unknown", "The regulation is gdpr or ccpa.", "/regulation");
    return regulation;
}

cdp::Result<OpenDsrType> read_type(const json& body) {
    const auto text = CDP_TRY(required_member(body, "subject_request_type", ""));
    for (const auto type : {OpenDsrType::access, OpenDsrType::portability, OpenDsrType::erasure})
        if (to_string(type) == text) return type;
    return invalid("request_type_unknown", "The type is access, portability or erasure.",
                   "/subject_request_type");
}

cdp::Result<cdp::Timestamp> read_submitted(const json& body, cdp::Timestamp now) {
    const auto time = CDP_TRY(time_member(body, "submitted_time", ""));
    const std::string pointer = "/submitted_time";
    if (!time) return invalid("member_missing", "submitted_time field is required.", pointer);
    if (*time > now + kSubmittedAheadMax)
        return invalid("submitted_in_future", "The request was submitted in the future.", pointer);
    if (*time < now - kSubmittedAgoMax)
        return invalid("submitted_too_long_ago", "The request was submitted more than 45 days ago.",
                       pointer);
    return *time;
}

// The protocol's types, unless the identities are of our own extension, which names ours.
cdp::Result<OpenDsrIdentity> read_identity(const json& object, const std::string& pointer,
                                           const IdentityTypes* types) {
    if (!object.is_object()) return invalid("wrong_type", "An object is expected here.", pointer);
    const auto type = CDP_TRY(required_member(object, "identity_type", pointer));
    OpenDsrIdentity out{.type = type, .value = {}, .hash = {}, .pointer = pointer};
    out.value = CDP_TRY(required_member(object, "identity_value", pointer));
    if (types) {
        const auto ours = types->find(type);
        if (ours == types->end())
            return invalid("identity_type_unknown", "Identities of this type are not known here.",
                           pointer + "/identity_type");
        out.type = ours->second;
    } else if (!identity::is_type_name(type)) {
        return invalid("identity_type_unknown", "That cannot name a type of identity.",
                       pointer + "/identity_type");
    }
    auto format = CDP_TRY(string_member(object, "identity_format", pointer));
    if (format.empty() && !types) format = "raw";
    CDP_CHECK(read_identity_format(format,
                                   {.reason = "identity_format_unknown",
                                    .format = pointer + "/identity_format",
                                    .value = pointer + "/identity_value"},
                                   out));
    return out;
}

cdp::Result<void> read_identities(const json& holder, const char* name, const std::string& pointer,
                                  const IdentityTypes* types, std::vector<OpenDsrIdentity>& out) {
    const auto list = holder.find(name);
    const auto place = pointer + "/" + name;
    if (list == holder.end() || list->is_null()) return cdp::Result<void>::ok();
    if (!list->is_array()) return invalid("wrong_type", "A list is expected here.", place);
    if (out.size() + list->size() > kIdentitiesMax)
        return invalid("too_many_identities", "A request names at most 50 identities.", place);
    for (std::size_t i = 0; i < list->size(); ++i)
        out.push_back(CDP_TRY(read_identity((*list)[i], place + "/" + std::to_string(i), types)));
    return cdp::Result<void>::ok();
}

// Extensions for other processors are not ours to read.
cdp::Result<void> read_extension(const json& body, const OpenDsrReading& reading,
                                 std::vector<OpenDsrIdentity>& out) {
    const auto all = body.find("extensions");
    if (all == body.end() || all->is_null()) return cdp::Result<void>::ok();
    if (!all->is_object())
        return invalid("wrong_type", "An object is expected here.", "/extensions");
    const auto own = all->find(std::string(reading.domain));
    if (own == all->end()) return cdp::Result<void>::ok();
    const auto pointer =
        (json::json_pointer("/extensions") / std::string(reading.domain)).to_string();
    if (!own->is_object()) return invalid("wrong_type", "An object is expected here.", pointer);
    return read_identities(*own, "identities", pointer, nullptr, out);
}

cdp::Result<std::vector<std::string>> read_callbacks(const json& body) {
    auto urls = CDP_TRY(strings_member(body, "status_callback_urls", ""));
    if (urls.size() > kCallbackUrlsMax)
        return invalid("too_many_callbacks", "A request names at most 8 callback URLs.",
                       "/status_callback_urls");
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < urls.size(); ++i) {
        bytes += urls[i].size();
        if (!parse_url(urls[i]))
            return invalid("url_malformed",
                           "A URL is expected here, of https unless its host is an inner one.",
                           "/status_callback_urls/" + std::to_string(i));
    }
    if (bytes > kCallbackBytesMax)
        return invalid("too_many_callbacks", "Callback URLs have at most 8 kB together.",
                       "/status_callback_urls");
    return urls;
}

}  // namespace

IdentityTypes default_identity_types() {
    return {{"controller_customer_id", "user_id"},
            {"email", "email"},
            {"phone", "phone"},
            {"android_advertising_id", "android.idfa"},
            {"android_id", "android.id"},
            {"ios_advertising_id", "ios.idfa"},
            {"ios_vendor_id", "ios.id"},
            {"fire_advertising_id", "advertising_id"},
            {"microsoft_advertising_id", "advertising_id"},
            {"microsoft_publisher_id", "device_id"},
            {"roku_advertising_id", "advertising_id"},
            {"roku_publisher_id", "device_id"}};
}

std::string_view to_string(OpenDsrType type) {
    switch (type) {
        case OpenDsrType::access: return "access";
        case OpenDsrType::portability: return "portability";
        case OpenDsrType::erasure: return "erasure";
    }
    CDP_ASSERT(false);
    return "";
}

cdp::Result<void> read_identity_format(std::string_view format, const IdentityFormatPlaces& places,
                                       OpenDsrIdentity& identity) {
    if (format == "raw") return cdp::Result<void>::ok();
    for (const auto kind : {cdp::HashKind::md5, cdp::HashKind::sha1, cdp::HashKind::sha256})
        if (to_string(kind) == format) identity.hash = kind;
    if (!identity.hash)
        return invalid(places.reason, "The format is raw, sha1, md5 or sha256.", places.format);
    const auto hex = read_hash(*identity.hash, identity.value);
    if (!hex)
        return invalid("malformed_hash", "That is no such hash in hexadecimal.", places.value);
    identity.value = *hex;
    return cdp::Result<void>::ok();
}

bool is_subject_request_id(std::string_view text) {
    constexpr std::string_view kShape = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
    return std::ranges::equal(text, kShape, [](char c, char shape) {
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (shape == 'x') return hex;
        if (shape == 'v') return c == '8' || c == '9' || c == 'a' || c == 'b';
        return c == shape;
    });
}

cdp::Result<OpenDsrRequest> read_opendsr_request(std::string_view body,
                                                 const OpenDsrReading& reading) {
    const auto said = CDP_TRY(parse_json(body));
    if (!said.is_object()) return invalid("wrong_type", "An object is expected here.");
    OpenDsrRequest out;
    out.id = CDP_TRY(required_member(said, "subject_request_id", ""));
    if (!is_subject_request_id(out.id))
        return invalid("request_id_malformed", "A lower-case UUID of version 4 is expected here.",
                       "/subject_request_id");
    out.type = CDP_TRY(read_type(said));
    out.api_version = CDP_TRY(string_member(said, "api_version", ""));
    out.regulation = CDP_TRY(read_regulation(said, out.api_version));
    out.submitted = CDP_TRY(read_submitted(said, reading.now));
    CDP_CHECK(
        read_identities(said, "subject_identities", "", &reading.identity_types, out.identities));
    CDP_CHECK(read_extension(said, reading, out.identities));
    if (out.identities.empty())
        return invalid("identities_missing", "subject_identities field is required.",
                       "/subject_identities");
    out.callback_urls = CDP_TRY(read_callbacks(said));
    return out;
}

}  // namespace api
