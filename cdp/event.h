#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
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
    std::string json;  // the value, minified JSON
};

// One preference of a consent stamp: Segment's categoryPreferences or RudderStack's
// consentManagement. `category` is as sent; consent/ maps it to a purpose.
struct Preference {
    std::string category;
    bool granted = false;
};

// One event, validated, its time fixed for good. What was read from it is below; the event itself is
// `raw`, as received.
struct Event {
    EventType type = EventType::track;
    std::string message_id;  // as sent, or made by us when it was absent
    std::string name;        // track: event; page, screen: name; else empty

    // Event time: the client's, corrected by sentAt when the clocks differ by more than 10 minutes
    // (never on import); the time of receipt when absent, unreadable or in the future.
    Timestamp time{};
    Timestamp received{};
    bool time_adjusted = false;  // it is not the client's own

    // At least one. Distinct. Best first: by class, then type, then value; the first is the home.
    std::vector<identity::Identifier> identifiers;
    std::vector<Trait> traits;  // of the person; a group call's traits are the company's
    std::vector<Preference> preferences;
    std::vector<std::string> warnings;  // machine codes: null_like_user_id, malformed_email, ...

    std::string raw;  // minified JSON text of the event, as received
};

inline constexpr std::size_t kEventBytesMax = 32 * 1024;
inline constexpr std::size_t kBatchEventsMax = 2500;
inline constexpr std::size_t kBodyBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kJsonDepthMax = 64;

// How a request is to be read.
struct ParseContext {
    Timestamp received{};
    Trust trust = Trust::client;
    bool import = false;                    // /v1/import: times are taken as they are
    std::string region;                     // default region of phone numbers, may be empty
    const identity::IdentifierTypes* types = nullptr;
};

// A request body cut into events: each one readable or refused on its own.
struct ParsedBatch {
    std::vector<Result<Event>> events;  // in the order sent; error pointers start at /batch/N
    std::string write_key;              // envelope's (or a single event's) writeKey; empty: none
    bool single = false;                // the body was one event, not a batch
};

// Reads a body. `implied` is the type the path names (/v1/track), nullopt for /v1/batch and
// /v1/import. A path that names a type takes a batch too when the body has a `batch` array.
// Errors (all 400): the body is not JSON, is two documents, has over kBatchEventsMax events, or its
// events cannot be told apart.
Result<ParsedBatch> parse_body(std::string_view body, std::optional<EventType> implied,
                               const ParseContext& context);

// The writeKey in a body, without reading the rest; empty when there is none. For authentication
// before parsing.
std::string write_key_of(std::string_view body);

}  // namespace cdp
