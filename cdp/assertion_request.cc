#include "cdp/assertion_request.h"

#include <algorithm>
#include <utility>

#include "cdp/facts.h"
#include "cdp/named.h"
#include "cdp/refuse.h"
#include "cdp/texts.h"

namespace cdp {
namespace {

using identity::AssertionKind;

constexpr std::chrono::milliseconds kInstant{1};
constexpr std::size_t kDayChars = 10;  // 2026-11-01

Timestamp start_of(std::int32_t day) {
    return Timestamp{std::chrono::sys_days{std::chrono::days{day}}};
}

bool is_midnight(Timestamp time) {
    return start_of(day_of(time)) == time;
}

Result<std::vector<Token>> read_identifiers(const AssertionRequest& request,
                                            const identity::Graph& graph, const Config& config) {
    std::vector<Token> out;
    for (std::size_t i = 0; i < request.identifiers.size(); ++i) {
        const auto& [type_name, value] = request.identifiers[i];
        const auto at = NamedAt::members("/identifiers/" + std::to_string(i));
        const auto normal =
            CDP_TRY(read_said(config, {type_name, value}, config.default_region, at));
        out.push_back(graph.token(type_name, normal));
    }
    return out;
}

// The number of identifiers that the kind is about.
Result<void> check_shape(const AssertionRequest& request, AssertionKind kind) {
    const auto count = request.identifiers.size();
    const auto refuse_members = [&](const std::string& value, const char* name) -> Result<void> {
        if (value.empty()) return Result<void>::ok();
        return refuse("not_of_this_kind", "Only a retraction has this member.", name);
    };
    if (kind == AssertionKind::retract) {
        const bool pair = count > 0, events = !request.events.empty();
        if (pair && count != 2)
            return refuse("identifiers_wrong", "A link has two identifiers.", "/identifiers");
        if (events &&
            (pair || !request.source.empty() || !request.from.empty() || !request.to.empty()))
            return refuse("retract_ambiguous",
                          "Retract either events, or a link of two identifiers, or what a source "
                          "said in a range of days.",
                          "/events");
        if (!pair && !events && request.source.empty())
            return refuse("retract_incomplete",
                          "Say what to retract: two identifiers, a source with from or to, or "
                          "events.",
                          "");
        if (!pair && !events && request.from.empty() && request.to.empty())
            return refuse("range_required",
                          "Say from or up to when the source's links are to be retracted.",
                          "/from");
        return Result<void>::ok();
    }
    const bool two = kind == AssertionKind::must_link || kind == AssertionKind::cannot_link;
    if (count != (two ? 2 : 1))
        return refuse(
            "identifiers_wrong",
            two ? "Two identifiers are expected here." : "One identifier is expected here.",
            "/identifiers");
    CDP_CHECK(refuse_members(request.source, "/source"));
    CDP_CHECK(refuse_members(request.from, "/from"));
    CDP_CHECK(refuse_members(request.to, "/to"));
    if (!request.events.empty())
        return refuse("not_of_this_kind", "Only a retraction has this member.", "/events");
    return Result<void>::ok();
}

// The instant a range begins at, or ends before.
Result<Timestamp> read_instant(const std::string& text, const char* pointer, bool is_end) {
    const auto time = parse_time(text);
    if (!time)
        return refuse("malformed_time", "A day or an RFC 3339 time is expected here.", pointer);
    if (is_end && text.size() == kDayChars) return *time + std::chrono::days{1};
    return *time;
}

Result<void> read_range(const AssertionRequest& request, Timestamp now, AskedAssertion& out) {
    auto& assertion = out.assertion;
    if (!request.from.empty()) assertion.from = CDP_TRY(read_instant(request.from, "/from", false));
    assertion.to = now + kInstant;
    if (!request.to.empty()) {
        const auto to = CDP_TRY(read_instant(request.to, "/to", true));
        // Whole days may lie ahead; what comes later in a day that is cut cannot be found now.
        assertion.to = is_midnight(to) ? to : std::min(to, now + kInstant);
    }
    if (assertion.from && *assertion.from >= *assertion.to)
        return refuse("from_after_to", "The range ends before it begins.", "/from");

    const bool pair = !assertion.identifiers.empty();
    if (pair && request.to.empty()) assertion.to = start_of(day_of(now) + 1);
    if (pair && assertion.from && !is_midnight(*assertion.from))
        return refuse("range_not_whole_days", "A link of two is retracted by whole UTC days.",
                      "/from");
    if (pair && !is_midnight(*assertion.to))
        return refuse("range_not_whole_days", "A link of two is retracted by whole UTC days.",
                      "/to");

    auto& range = assertion.range;
    const auto end_day = day_of(*assertion.to);
    range.last_day = end_day - 1;
    if (assertion.from) {
        const auto begin_day = day_of(*assertion.from);
        range.first_day = is_midnight(*assertion.from) ? begin_day : begin_day + 1;
        if (!is_midnight(*assertion.from))
            out.parts.emplace_back(*assertion.from,
                                   std::min(start_of(begin_day + 1), *assertion.to));
    }
    if (!is_midnight(*assertion.to) && range.first_day <= end_day)
        out.parts.emplace_back(start_of(end_day), *assertion.to);
    return Result<void>::ok();
}

Result<std::vector<identity::Assertion::Event>> read_events(const AssertionRequest& request,
                                                            const storage::Vault& vault) {
    if (request.events.size() > kRetractedEventsMax)
        return refuse("too_many_events", "At most 100 events are retracted at a time.", "/events");
    std::vector<identity::Assertion::Event> out;
    for (std::size_t i = 0; i < request.events.size(); ++i) {
        const auto& [source, message_id] = request.events[i];
        const auto at = "/events/" + std::to_string(i);
        if (source.empty() || message_id.empty() || message_id.size() > kMessageIdBytesMax)
            return refuse("event_incomplete", "An event is named by its source and message_id.",
                          at);
        const auto id = event_id_of(vault, source, message_id);
        if (std::ranges::find(out, id, &identity::Assertion::Event::id) == out.end())
            out.push_back({id, source, message_id});
    }
    return out;
}

}  // namespace

Error assertion_unknown() {
    return {.code = ErrorCode::not_found,
            .reason = "assertion_unknown",
            .message = "There is no assertion with this id."};
}

Result<identity::AssertionId> parse_assertion_id(std::string_view hex) {
    const auto bytes = from_hex(hex);
    if (!bytes || bytes->size() != sizeof(identity::AssertionId::bytes)) return assertion_unknown();
    return identity::AssertionId::from(*bytes);
}

Result<AskedAssertion> read_assertion(const AssertionRequest& request, const identity::Graph& graph,
                                      const storage::Vault& vault, const Config& config,
                                      Timestamp now) {
    const auto kind = identity::parse_assertion_kind(request.kind);
    if (!kind)
        return refuse("kind_unknown",
                      "The kind is one of must_link, cannot_link, block, shared, retract.",
                      "/kind");
    AskedAssertion out;
    auto& assertion = out.assertion;
    assertion.kind = *kind;
    auto reason = CDP_TRY(required_reason(request.reason));
    assertion.said = {request.author, std::move(reason), now};
    CDP_CHECK(check_shape(request, *kind));
    assertion.identifiers = CDP_TRY(read_identifiers(request, graph, config));
    if (*kind != AssertionKind::retract) return out;
    assertion.events = CDP_TRY(read_events(request, vault));
    if (!assertion.events.empty()) return out;
    assertion.source_name = request.source;
    if (!request.source.empty()) assertion.range.source = source_hash_of(vault, request.source);
    CDP_CHECK(read_range(request, now, out));
    return out;
}

}  // namespace cdp
