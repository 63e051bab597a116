#include "cdp/facts.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "cdp/base/bytes.h"
#include "cdp/json_scan.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kTimeAdjusted = 1;
constexpr std::uint8_t kGpc = 2;
constexpr std::uint8_t kRemnant = 4;
constexpr std::uint8_t kTraitWithTellers = 2;  // a format
constexpr std::int64_t kNeverMinutes = std::numeric_limits<std::uint32_t>::max();

std::optional<Trust> read_trust(ByteReader& in) {
    const auto value = in.u8();
    if (value != 1 && value != 2) return std::nullopt;
    return static_cast<Trust>(value);
}

// A text member of the event; empty when it has none.
std::string text_member(std::string_view raw, std::string_view name) {
    const auto json = json::member_of(raw, name);
    if (json.size() < 2 || json.front() != '"') return {};
    return json::unescape(json.substr(1, json.size() - 2)).value_or("");
}

std::string name_in(EventType type, std::string_view raw) {
    switch (type) {
        case EventType::track: return text_member(raw, "event");
        case EventType::page:
        case EventType::screen: return text_member(raw, "name");
        case EventType::identify:
        case EventType::group:
        case EventType::alias: return {};
    }
    return {};
}

}  // namespace

bool supersedes(const StoredTrait& a, const StoredTrait& b) {
    return std::tie(a.time, a.json, a.trust, a.source) >
           std::tie(b.time, b.json, b.trust, b.source);
}

std::uint32_t source_hash_of(const storage::Vault& vault, std::string_view source) {
    const auto hash = vault.hash<Token>("source", source);
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i) out = (out << 8) | hash.bytes[i];
    return std::max(out, 1U);
}

EventId event_id_of(const storage::Vault& vault, std::string_view source,
                    std::string_view message_id) {
    return vault.hash<EventId>("event", std::string(source) + '\0' + std::string(message_id));
}

std::string event_key(const Token& home, Timestamp time, const EventId& id) {
    return storage::KeyWriter(storage::Space::event, home).newest_first(time).id(id).str();
}

std::string pointer_key(const Token& token, Timestamp time, const EventId& id) {
    return storage::KeyWriter(storage::Space::pointer, token).newest_first(time).id(id).str();
}

std::string dedupe_key(const EventId& id) {
    return storage::KeyWriter(storage::Space::dedupe, id).str();
}

std::string trait_key(const Token& home, const TraitName& name) {
    return storage::KeyWriter(storage::Space::trait, home).id(name).str();
}

std::string encode(const StoredEvent& event) {
    ByteWriter out;
    out.u8(kFormat)
        .i64(milliseconds_of(event.received))
        .u8(static_cast<std::uint8_t>(event.type))
        .u8(static_cast<std::uint8_t>(event.trust))
        .u8(static_cast<std::uint8_t>((event.time_adjusted ? kTimeAdjusted : 0) |
                                      (event.gpc ? kGpc : 0) | (event.remnant ? kRemnant : 0)))
        .bytes(event.source)
        .bytes(event.message_id)
        .raw(event.raw);
    return out.take();
}

std::optional<StoredEvent> decode_event(std::string_view bytes) {
    ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    StoredEvent event;
    event.received = timestamp_of(in.i64());
    const auto type = in.u8();
    const auto trust = read_trust(in);
    const auto flags = in.u8();
    event.time_adjusted = (flags & kTimeAdjusted) != 0;
    event.gpc = (flags & kGpc) != 0;
    event.remnant = (flags & kRemnant) != 0;
    event.source = in.bytes();
    event.message_id = in.bytes();
    event.raw = in.rest();
    if (!in.ok() || !trust || type < 1 || type > static_cast<std::uint8_t>(EventType::alias))
        return std::nullopt;
    event.type = static_cast<EventType>(type);
    event.trust = *trust;
    event.name = name_in(event.type, event.raw);
    return event;
}

std::string encode(const StoredTrait& trait) {
    ByteWriter out;
    out.u8(trait.tellers.empty() ? kFormat : kTraitWithTellers)
        .i64(milliseconds_of(trait.time))
        .u8(static_cast<std::uint8_t>(trait.trust));
    if (!trait.tellers.empty()) out.u8(static_cast<std::uint8_t>(trait.tellers.size()));
    for (const Token& token : trait.tellers) out.raw(token.view());
    out.bytes(trait.source).bytes(trait.name).raw(trait.json);
    return out.take();
}

std::optional<StoredTrait> decode_trait(std::string_view bytes) {
    ByteReader in(bytes);
    const auto format = in.u8();
    if (format != kFormat && format != kTraitWithTellers) return std::nullopt;
    StoredTrait trait;
    trait.time = timestamp_of(in.i64());
    const auto trust = read_trust(in);
    const auto tellers = format == kTraitWithTellers ? in.u8() : 0;
    for (int i = 0; i < tellers && in.ok(); ++i) trait.tellers.push_back(in.id<Token>());
    trait.source = in.bytes();
    trait.name = in.bytes();
    trait.json = in.rest();
    if (!in.ok() || !trust) return std::nullopt;
    trait.trust = *trust;
    return trait;
}

std::string encode(const Seen& seen) {
    // The store reads the first four bytes: minutes since 1970 after which the row may go.
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(seen.expires.time_since_epoch());
    ByteWriter out;
    out.u32(static_cast<std::uint32_t>(std::min<std::int64_t>(minutes.count(), kNeverMinutes)))
        .raw(seen.home.view())
        .i64(milliseconds_of(seen.time));
    return out.take();
}

std::optional<Seen> decode_seen(std::string_view bytes) {
    ByteReader in(bytes);
    Seen seen;
    const auto minutes = in.u32();
    seen.expires =
        minutes == kNeverMinutes ? Timestamp::max() : Timestamp{std::chrono::minutes{minutes}};
    seen.home = in.id<Token>();
    seen.time = timestamp_of(in.i64());
    if (!in.done()) return std::nullopt;
    return seen;
}

Error damaged(const char* what) {
    return {.code = ErrorCode::corruption,
            .reason = "store_damaged",
            .message = "Stored data is damaged.",
            .detail = what};
}

}  // namespace cdp
