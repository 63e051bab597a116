#pragma once

#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "cdp/event.h"

// Short ways to read a body in tests.
namespace tests {

inline const cdp::Timestamp kReceived = *cdp::parse_time("2026-11-21T18:24:50Z");

inline const identity::IdentifierTypes& types() {
    static const auto defaults = identity::IdentifierTypes::defaults();
    return defaults;
}

inline cdp::ParseContext context(cdp::Trust trust = cdp::Trust::client) {
    return {.received = kReceived,
            .trust = trust,
            .region = {},
            .types = &types(),
            .new_message_id = [] { return std::string("made"); }};
}

inline cdp::ParsedBatch parsed(std::string_view body,
                               std::optional<cdp::EventType> implied = std::nullopt,
                               const cdp::ParseContext& how = context()) {
    auto batch = cdp::parse_body(body, implied, how);
    CAPTURE(body);
    if (!batch) FAIL(batch.error().reason + " " + batch.error().pointer);
    return std::move(*batch);
}

// The one event of a body that is one.
inline cdp::Event event_of(std::string_view body, const cdp::ParseContext& how = context()) {
    auto batch = parsed(body, std::nullopt, how);
    CAPTURE(body);
    REQUIRE(batch.single);
    REQUIRE(batch.events.size() == 1);
    if (!batch.events[0])
        FAIL(batch.events[0].error().reason + " " + batch.events[0].error().pointer);
    return std::move(*batch.events[0]);
}

// "reason pointer" of a body that is one event and refused, as a whole or as that event.
inline std::string refusal_of(std::string_view body,
                              std::optional<cdp::EventType> implied = std::nullopt) {
    const auto batch = cdp::parse_body(body, implied, context());
    if (!batch) return batch.error().reason + " " + batch.error().pointer;
    if (batch->events.size() != 1) return "no single event";
    if (batch->events[0]) return "accepted";
    return batch->events[0].error().reason + " " + batch->events[0].error().pointer;
}

// "class type value" of each identifier, separated by commas.
inline std::string identifiers_of(const cdp::Event& event) {
    std::string out;
    for (const auto& id : event.identifiers)
        out += (out.empty() ? "" : ", ") + std::string(identity::to_string(id.link_class)) + " " +
               id.type + " " + id.value;
    return out;
}

inline std::string warnings_of(const cdp::Event& event) {
    std::string out;
    for (const auto& code : event.warnings) out += (out.empty() ? "" : " ") + code;
    return out;
}

inline std::string traits_of(const cdp::Event& event) {
    std::string out;
    for (const auto& trait : event.traits)
        out += (out.empty() ? "" : " ") + trait.name + "=" + trait.json;
    return out;
}

// "+category" or "-category" for each preference.
inline std::string preferences_of(const cdp::Event& event) {
    std::string out;
    for (const auto& preference : event.preferences)
        out += (out.empty() ? "" : " ") + std::string(preference.granted ? "+" : "-") +
               preference.category;
    return out;
}

}  // namespace tests
