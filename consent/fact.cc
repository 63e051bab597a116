#include "consent/fact.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/policy.h"
#include "consent/sha256.h"

namespace consent {
namespace {

bool related(std::string_view a, std::string_view b) {
    return covers(a, b) || covers(b, a);
}

// Opens, refuses, or neither: then it may end or renew what was said before it.
int side(State state) {
    return state == State::granted ? 1 : is_denial(state) ? 2 : 3;
}

// Between the first stamp of a cell and its unknown last one, `other` may have had the last word.
bool contests(const Fact& cell, const Fact& other) {
    return cdp::day_of(cell.time) == cdp::day_of(other.time) &&
           related(cell.purpose, other.purpose) && !(cell.signal && cell.signal == other.signal) &&
           (side(cell.state) != side(other.state) || other.valid_until.has_value());
}

bool is_contested(const Fact& fact, std::span<const Fact> facts) {
    return fact.cell &&
           std::ranges::any_of(facts, [&](const Fact& other) { return contests(fact, other); });
}

}  // namespace

Fact fact_of(const Record& record, const cdp::Token& under) {
    const auto asserted = std::ranges::find(record.asserted, under, &Asserted::token);
    const auto strength = asserted == record.asserted.end() ? Strength::shared : asserted->strength;
    // The law makes a browser's opt-out the consumer's, once the browser is known to be theirs.
    const bool opt_out_signal = record.signal && (record.signal->type == SignalType::gpc ||
                                                  record.signal->type == SignalType::gpp ||
                                                  record.signal->type == SignalType::usp);
    const bool reaches = strength == Strength::strong ||
                         (strength == Strength::weak && opt_out_signal && is_denial(record.state));
    Fact fact{.id = record.id,
              .purpose = record.purpose,
              .channels = record.channels,
              .state = record.state,
              .scope = record.scope == Scope::person && !reaches ? Scope::identifier : record.scope,
              .origin = record.origin,
              .time = record.effective_from.value_or(record.time),
              .valid_until = record.valid_until,
              .labels = record.labels,
              .received = record.received,
              .reconfirm_due = record.reconfirm_due,
              .no_reask_until = record.no_reask_until,
              .unproven = record.actor.kind == ActorKind::import && record.evidence.empty(),
              .overrides = record.overrides,
              .jurisdiction = record.jurisdiction};
    if (const auto& doi = record.double_opt_in) {
        fact.request = doi->request;
        fact.confirm_by = doi->expires;
    }
    if (record.minor && !record.minor->guardian_record) fact.unguarded = record.minor->age_band;
    return fact;
}

Fact fact_of(const cdp::RecordId& cell, const Stamp& stamp) {
    Fact fact{.id = cell,
              .purpose = stamp.purpose,
              .state = stamp.state,
              .scope = stamp.scope,
              .origin = stamp.origin,
              .time = stamp.time,
              .received = stamp.time};
    if (!stamp.channel.empty()) fact.channels.push_back(stamp.channel);
    if (stamp.signal) fact.signal = stamp.signal->digest;
    return fact;
}

cdp::RecordId cell_id(const cdp::Token& token, const Stamp& stamp) {
    const bool plain = !stamp.signal && stamp.channel.empty();
    cdp::ByteWriter out;
    out.raw(plain ? "cdp-consent/cell/v1" : "cdp-consent/cell/v2").raw(token.view());
    out.u32(static_cast<std::uint32_t>(cdp::day_of(stamp.time)));
    out.bytes(stamp.source).bytes(stamp.purpose);
    out.u8(static_cast<std::uint8_t>(stamp.state)).u8(static_cast<std::uint8_t>(stamp.scope));
    out.u8(static_cast<std::uint8_t>(stamp.origin));
    if (plain) return short_id(out.str());
    out.bytes(stamp.channel).u8(stamp.signal ? static_cast<std::uint8_t>(stamp.signal->type) : 0);
    if (stamp.signal) out.raw(view(stamp.signal->digest));
    return short_id(out.str());
}

std::vector<Contested> contested(const cdp::Token& token, std::span<const Fact> facts) {
    std::vector<Contested> days;
    for (const Fact& fact : facts)
        if (is_contested(fact, facts))
            days.push_back(
                {.token = token, .purpose = fact.purpose, .day = cdp::day_of(fact.time)});
    std::ranges::sort(days);
    days.erase(std::ranges::unique(days).begin(), days.end());
    return days;
}

std::vector<Fact> refine(const cdp::Token& token, std::vector<Fact> facts,
                         std::span<const Stamp> observed) {
    std::set<cdp::RecordId> contested_cells;
    for (const Fact& fact : facts)
        if (is_contested(fact, facts)) contested_cells.insert(fact.id);
    if (contested_cells.empty()) return facts;

    for (Fact& fact : facts)
        if (contested_cells.contains(fact.id)) fact.cell = false;
    for (const Stamp& stamp : observed) {
        const auto id = cell_id(token, stamp);
        if (!contested_cells.contains(id)) continue;
        facts.push_back(fact_of(id, stamp));
    }
    return facts;
}

}  // namespace consent
