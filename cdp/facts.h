#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "cdp/event.h"
#include "storage/vault.h"

// What the platform stores of events: keys and values, byte by byte in docs/STORAGE.md. Facts are
// filed under identifiers, never under persons.
namespace cdp {

// An event as stored under its home, sealed under the home's key.
struct StoredEvent {
    Timestamp received{};
    EventType type = EventType::track;
    Trust trust = Trust::client;
    bool time_adjusted = false;
    bool gpc = false;  // it came with Global Privacy Control, which `raw` need not say
    std::string source;
    std::string message_id;
    std::string name;  // read from `raw`, not stored: both together may not fit a value
    std::string raw;
    // It has expired: what is left of it says who was seen together, and no more; see
    // event_remnant.h. No reader shows it.
    bool remnant = false;

    friend bool operator==(const StoredEvent&, const StoredEvent&) = default;
};

// One trait of one identifier: the value with the latest event time; among equals the greater
// content. Kept for each identifier, so that a person's profile is a fold and an unmerge is exact.
struct StoredTrait {
    std::string name;
    std::string json;
    Timestamp time{};
    Trust trust = Trust::client;
    std::string source;
    // Whom the event named that taught it, when no event says it any more: that has expired.
    std::vector<Token> tellers = {};

    friend bool operator==(const StoredTrait&, const StoredTrait&) = default;
};

// Whether the first replaces the second: a total order made of content, so that traits come out the
// same whatever order they arrive in.
bool supersedes(const StoredTrait& a, const StoredTrait& b);

// A keyed hash of a trait's name.
using TraitName = Id<struct TraitNameTag>;

// That an event was accepted, and where it is. `expires` is when the store may forget it; a time
// too late for the row is never, Timestamp::max().
struct Seen {
    Timestamp expires{};
    Token home{};
    Timestamp time{};

    // That it was erased, for ever, and nothing of where it was.
    static Seen nevermore() { return {.expires = Timestamp::max()}; }
    bool erased() const { return home == Token{}; }
};

// What stands for a source in evidence: a keyed hash of its name, never 0.
std::uint32_t source_hash_of(const storage::Vault& vault, std::string_view source);
// What an event is known by: a keyed hash of its source and messageId.
EventId event_id_of(const storage::Vault& vault, std::string_view source,
                    std::string_view message_id);

std::string event_key(const Token& home, Timestamp time, const EventId& id);
std::string pointer_key(const Token& token, Timestamp time, const EventId& id);
std::string dedupe_key(const EventId& id);
std::string trait_key(const Token& home, const TraitName& name);

std::string encode(const StoredEvent& event);
std::string encode(const StoredTrait& trait);
std::string encode(const Seen& seen);
// nullopt when the bytes are not what encode wrote.
std::optional<StoredEvent> decode_event(std::string_view bytes);
std::optional<StoredTrait> decode_trait(std::string_view bytes);
std::optional<Seen> decode_seen(std::string_view bytes);

// The error of a stored value that cannot be read; `what` is for the log.
Error damaged(const char* what);

}  // namespace cdp
