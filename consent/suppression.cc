#include "consent/suppression.h"

#include <array>
#include <utility>

#include "cdp/base/bytes.h"
#include "storage/key.h"

namespace consent {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr char kKind = 's';

using storage::KeyReader;
using storage::KeyWriter;
using storage::Space;

constexpr std::array<std::pair<SuppressionReason, std::string_view>, 6> kReasons{{
    {SuppressionReason::deceased, "deceased"},
    {SuppressionReason::bounced, "bounced"},
    {SuppressionReason::complaint, "complaint"},
    {SuppressionReason::requested, "requested"},
    {SuppressionReason::legal, "legal"},
    {SuppressionReason::other, "other"},
}};

}  // namespace

std::string_view to_string(SuppressionReason value) {
    for (const auto& [reason, name] : kReasons)
        if (reason == value) return name;
    return "other";
}

std::string_view to_string(SuppressionScope value) {
    return value == SuppressionScope::person ? "person" : "identifier";
}

std::optional<SuppressionReason> parse_suppression_reason(std::string_view name) {
    for (const auto& [reason, spelling] : kReasons)
        if (spelling == name) return reason;
    return std::nullopt;
}

std::optional<SuppressionScope> parse_suppression_scope(std::string_view name) {
    for (const auto scope : {SuppressionScope::identifier, SuppressionScope::person})
        if (to_string(scope) == name) return scope;
    return std::nullopt;
}

SuppressionScope usual_scope(SuppressionReason reason) {
    switch (reason) {
        case SuppressionReason::bounced:
        case SuppressionReason::complaint: return SuppressionScope::identifier;
        case SuppressionReason::deceased:
        case SuppressionReason::requested:
        case SuppressionReason::legal:
        case SuppressionReason::other: return SuppressionScope::person;
    }
    return SuppressionScope::person;
}

std::string suppressions_prefix(const cdp::Token& token) {
    return KeyWriter(Space::consent, token).byte(kKind).str();
}

std::string suppression_key(const cdp::Token& token, const cdp::RecordId& id) {
    return KeyWriter(Space::consent, token).byte(kKind).id(id).str();
}

bool is_suppression(std::string_view row_key) {
    return KeyReader(row_key).byte() == kKind;
}

std::string encode(const Suppression& suppression) {
    cdp::ByteWriter out;
    out.u8(kFormat).u8(static_cast<std::uint8_t>(suppression.scope));
    out.u8(static_cast<std::uint8_t>(suppression.reason));
    out.i64(cdp::milliseconds_of(suppression.from)).u8(suppression.until ? 1 : 0);
    if (suppression.until) out.i64(cdp::milliseconds_of(*suppression.until));
    return out.take();
}

std::optional<Suppression> read_suppression(std::string_view row_key, std::string_view bytes) {
    KeyReader key(row_key);
    key.byte();
    Suppression out{.id = key.id<cdp::RecordId>()};
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    const auto scope = in.u8();
    const auto reason = in.u8();
    out.scope = static_cast<SuppressionScope>(scope);
    out.reason = static_cast<SuppressionReason>(reason);
    out.from = cdp::timestamp_of(in.i64());
    if (in.u8() != 0) out.until = cdp::timestamp_of(in.i64());
    const bool known = format == kFormat && scope >= 1 && scope <= 2 && reason >= 1 && reason <= 6;
    if (!key.ok() || !in.done() || !known) return std::nullopt;
    return out;
}

}  // namespace consent
