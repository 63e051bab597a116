#include "api/drp_message.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "api/json.h"
#include "api/parameters.h"
#include "consent/base64.h"
#include "consent/ed25519.h"

namespace api {
namespace {

using cdp::Result;
using nlohmann::json;

// 1.0 has the wire of 0.9.4.
constexpr std::array<std::string_view, 2> kVersions{"1.0", "0.9.4"};
constexpr std::size_t kSignatureBytes = 64;

cdp::Error forbidden(std::string reason, std::string message) {
    return {.code = cdp::ErrorCode::forbidden,
            .reason = std::move(reason),
            .message = std::move(message)};
}

// Also ISO 8601's basic form, as in the protocol's examples: 20210902T152725.403-0700.
std::optional<cdp::Timestamp> read_time(std::string text) {
    const bool basic = text.size() >= 15 && text[8] == 'T' &&
                       std::all_of(text.begin(), text.begin() + 8,
                                   [](unsigned char c) { return std::isdigit(c) != 0; });
    if (basic) {
        if (text[text.size() - 5] == '+' || text[text.size() - 5] == '-')
            text.insert(text.size() - 2, ":");
        for (const std::size_t at : {13, 11}) text.insert(at, ":");
        for (const std::size_t at : {6, 4}) text.insert(at, "-");
    }
    // A day, or a time without its offset, is no moment.
    if (text.find_first_of("Tt ") == text.npos) return std::nullopt;
    return cdp::parse_time(text);
}

}  // namespace

std::string claim(const json& claims, const char* name) {
    const auto found = claims.find(name);
    return found != claims.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<DrpMessage> open_drp(std::string_view body, std::string_view verify_key) {
    while (!body.empty() && (body.back() == '\n' || body.back() == '\r' || body.back() == ' '))
        body.remove_suffix(1);
    auto bytes = consent::from_base64(body);
    if (!bytes || bytes->size() <= kSignatureBytes)
        return invalid("not_base64", "The body is no base64 of a signed message.");
    const auto text = std::string_view(*bytes).substr(kSignatureBytes);
    if (!consent::ed25519_holds(verify_key, text,
                                std::string_view(*bytes).substr(0, kSignatureBytes)))
        return forbidden("signature_wrong", "The signature is not that of the agent's key.");
    auto claims = parse_json(text);
    if (!claims || !claims->is_object())
        return invalid("not_json", "What is signed is no JSON object.");
    return DrpMessage{.bytes = *std::move(bytes), .claims = *std::move(claims)};
}

Result<cdp::Timestamp> check_envelope(const json& claims, std::string_view agent_id,
                                      std::string_view business_id, cdp::Timestamp now) {
    if (claim(claims, "agent-id") != agent_id)
        return forbidden("agent_differs", "agent-id is not the agent that sends.");
    if (claim(claims, "business-id") != business_id)
        return forbidden("business_differs", "business-id is another business.");
    const auto issued = read_time(claim(claims, "issued-at"));
    if (!issued) return invalid("issued_at_malformed", "issued-at is no time.");
    if (*issued > now) return invalid("issued_in_future", "issued-at is yet to come.");
    const auto expires = read_time(claim(claims, "expires-at"));
    if (!expires) return invalid("expires_at_malformed", "expires-at is no time.");
    if (*expires <= now) return invalid("expired", "The message has expired.");
    if (*expires - *issued > kDrpLifeMax)
        return invalid("life_too_long", "A message lives for at most 15 minutes.");
    if (std::ranges::find(kVersions, claim(claims, "drp.version")) == kVersions.end())
        return invalid("version_unknown", "drp.version is not 1.0.");
    return *issued;
}

}  // namespace api
