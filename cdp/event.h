#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/record_words.h"
#include "identity/identifier.h"

namespace cdp {

enum class EventType : std::uint8_t { identify = 1, track, page, screen, group, alias };

std::string_view to_string(EventType value);
std::optional<EventType> parse_event_type(std::string_view name);

// Whether the holder of a source's key can be believed. A client's key is public in a web page.
enum class Trust : std::uint8_t { client = 1, server = 2 };

// One trait as an event taught it.
struct Trait {
    std::string name;
    std::string json;  // minified, numbers as sent; null: the trait was cleared
};

// One preference of a consent stamp: Segment's categoryPreferences or RudderStack's
// consentManagement. `category` is as sent; consent/ maps it to a purpose.
struct Preference {
    std::string category;
    bool granted = false;
};

// A consent signal of an event, as sent; empty when what was sent is no text.
struct SentSignal {
    consent::SignalType type = consent::SignalType::gpc;
    std::string text;

    friend bool operator==(const SentSignal&, const SentSignal&) = default;
};

// One event, validated, its time fixed for good. What was read from it is below; the event itself
// is `raw`, as received.
struct Event {
    EventType type = EventType::track;
    std::string message_id;  // as sent, or made by us when it was absent
    std::string name;        // track: event; page, screen: name; else empty

    // Normal form of the group it was sent for: a group call's own, or the `groupId` that SDKs put
    // into later events or their context. Empty: none, or one that names nothing (then a warning).
    std::string group_id;

    // alias only, as sent. It is the value of an `anonymous_id` or of a `user_id`, whichever was
    // seen before, which only the store knows: it is not among the identifiers. Absent when the
    // alias names the user itself.
    std::optional<std::string> previous_id;

    // Event time: the client's, corrected by sentAt when the clocks differ by more than 10 minutes
    // (never on import); the time of receipt when absent, unreadable or in the future.
    Timestamp time{};
    Timestamp received{};
    bool time_adjusted = false;  // the client sent a time, and it is another one

    // 1 to kIdentifiersMax. Distinct by type and value. Best first: by class, then type, then
    // value; the first is the home.
    std::vector<identity::Identifier> identifiers;
    std::vector<Trait> traits;            // of the person, names distinct
    std::vector<Trait> group_traits;      // group only: the company's, names distinct
    std::vector<Preference> preferences;  // categories distinct; denied wins over granted
    std::vector<SentSignal> signals;      // distinct; gpc is there when it was 1
    std::vector<std::string> warnings;    // machine codes: null_like_user_id, malformed_email, ...

    // The event's JSON text as received, outer white space trimmed; with the envelope's `context`
    // and `integrations` written into it when the envelope had any.
    std::string raw;
};

// The normal form of a group's id: an opaque identifier's, though a group is never one.
std::variant<std::string, identity::Refusal> normal_group_id(std::string_view raw);

inline constexpr std::size_t kEventBytesMax = 32 * 1024;
inline constexpr std::size_t kBatchEventsMax = 2500;
inline constexpr std::size_t kBodyBytesMax = 4 * 1024 * 1024;
// Of a batch's events together, with what the envelope says written into each of them.
inline constexpr std::size_t kBatchBytesMax = 4 * kBodyBytesMax;
inline constexpr std::size_t kJsonDepthMax = 64;  // of an event; its own braces are level 1
inline constexpr std::size_t kIdentifiersMax = 32;
inline constexpr std::size_t kPreferencesMax = 64;
inline constexpr std::size_t kPreferenceBytesMax = 128;
inline constexpr std::size_t kMessageIdBytesMax = 256;

// How a request is to be read.
struct ParseContext {
    Timestamp received{};
    Trust trust = Trust::client;
    bool import = false;  // /v1/import: times are taken as they are
    bool gpc = false;     // the request had the header Sec-GPC: 1
    std::string region;   // default region of phone numbers, may be empty
    const identity::IdentifierTypes* types = nullptr;  // never null
    std::function<std::string()> new_message_id;       // for events without one; never empty
};

// A request body cut into events: each one readable or refused on its own. Reasons of a refused
// event: invalid_json, invalid_utf8, duplicate_key, number_out_of_range, too_deep, event_too_large,
// invalid_type, invalid_event, no_identifier.
struct ParsedBatch {
    // In the order sent. Error pointers start at /batch/N, those of a single event at its own
    // members.
    std::vector<Result<Event>> events;
    // Parallel to `events`: the messageId of a refused event as sent, for the answer; empty when it
    // could not be read.
    std::vector<std::string> refused_ids;
    std::string write_key;  // envelope's (or a single event's) writeKey; empty: none
    bool single = false;    // the body was one event, not a batch
};

// Reads a body. `implied` is the type the path names (/v1/track), nullopt for /v1/batch and
// /v1/import. A path that names a type takes a batch too when the body has a `batch` array.
// Errors (all 400): the body is not JSON, is two documents or its events cannot be told apart
// (invalid_json, or what else is wrong with the envelope: duplicate_key, ...); it is no object
// (invalid_event); it has over kBatchEventsMax events, or these are with its envelope in each over
// kBatchBytesMax or kBatchPartsMax (batch_too_large); or over kBodyBytesMax bytes (body_too_large).
Result<ParsedBatch> parse_body(std::string_view body, std::optional<EventType> implied,
                               const ParseContext& context);

// Reads one event again that was stored: what its envelope said is in it, and a member called
// `batch` is a member like others.
Result<Event> parse_event(std::string_view raw, EventType type, const ParseContext& context);

// The writeKey in a body, without reading the rest; empty when there is none or the body cannot be
// cut. For authentication before parsing.
std::string write_key_of(std::string_view body);

}  // namespace cdp
