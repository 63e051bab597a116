// A request body from a stranger: whatever it is, it is cut into events or refused, each event
// keeps what ingest relies on, and reading twice says the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cdp/base/assert.h"
#include "cdp/event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static const auto types = identity::IdentifierTypes::defaults();
    cdp::ParseContext context;
    context.received = cdp::timestamp_of(1'700'000'000'000);
    context.types = &types;
    context.trust = data[0] & 1 ? cdp::Trust::server : cdp::Trust::client;
    context.import = data[0] & 2;
    context.new_message_id = [] { return std::string("made"); };
    const std::optional<cdp::EventType> implied =
        data[0] & 4 ? std::optional(cdp::EventType::track) : std::nullopt;
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);

    const auto parsed = cdp::parse_body(body, implied, context);
    CDP_ASSERT(bool(cdp::parse_body(body, implied, context)) == bool(parsed));
    (void)cdp::write_key_of(body);
    if (!parsed) return 0;

    CDP_ASSERT(parsed->events.size() <= cdp::kBatchEventsMax);
    CDP_ASSERT(parsed->events.size() == parsed->refused_ids.size());
    for (const auto& event : parsed->events) {
        if (!event) continue;
        CDP_ASSERT(!event->message_id.empty() || event->identifiers.empty());
        CDP_ASSERT(!event->identifiers.empty());
        CDP_ASSERT(event->identifiers.size() <= cdp::kIdentifiersMax);
        CDP_ASSERT(event->preferences.size() <= cdp::kPreferencesMax);
        CDP_ASSERT(event->time <= context.received);
    }
    return 0;
}
