#include "cdp/identity_reading.h"

#include <algorithm>
#include <bit>
#include <set>

#include "cdp/facts.h"
#include "cdp/retracted_events.h"
#include "cdp/seen_together.h"
#include "consent/json_string.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::json_string;
using identity::Apart;
using identity::AssertionId;
using identity::AssertionKind;
using identity::Hop;

constexpr std::size_t kEventsPerHop = 3;
constexpr std::size_t kEventRowsMax = 1000;
constexpr std::size_t kValuesMax = 10;
// In search of what was taken back.
constexpr std::size_t kSearchedRowsMax = 500;
constexpr std::size_t kSearchedMax = 50;
constexpr std::size_t kLostMax = 100;

std::string hex_string(std::string_view id) {
    return "\"" + to_hex(id) + "\"";
}

std::string event_json(const EventRow& row, const StoredEvent& event) {
    return "{\"id\":" + hex_string(row.place.id.view()) +
           ",\"message_id\":" + json_string(event.message_id) +
           ",\"source\":" + json_string(event.source) + ",\"time\":\"" +
           format_time(row.place.time) + "\",\"type\":\"" + std::string(to_string(event.type)) +
           (event.remnant ? "\",\"expired\":true}" : "\"}");
}

}  // namespace

const char* json_bool(bool value) {
    return value ? "true" : "false";
}

std::string time_member(const char* name, Timestamp time) {
    return std::string(",\"") + name + "\":\"" + format_time(time) + "\"";
}

std::string seen_with_json(const identity::SeenWith& seen) {
    const auto& others = seen.others;
    return "{\"accounts\":" + std::to_string(others.accounts) +
           ",\"contacts\":" + std::to_string(others.contacts) +
           ",\"cookies\":" + std::to_string(others.cookies) +
           ",\"all\":" + std::to_string(others.all) + ",\"more\":" + json_bool(seen.more) + "}";
}

std::string assertions_member(const std::vector<AssertionId>& ids) {
    JsonList list;
    for (const auto& id : ids) list.add(hex_string(id.view()));
    return "\"assertions\":" + list.str();
}

IdentityReading::IdentityReading(const IdentityNeeds& needs)
    : needs_(needs),
      snapshot_(needs.store.snapshot()),
      transaction_(*snapshot_, storage::kPartition),
      attribution_({needs.vault, needs.graph, needs.config}, {*snapshot_, transaction_}),
      event_links_({needs.vault, needs.graph, needs.config}),
      assertions_(needs.vault),
      rows_left_(kEventRowsMax) {}

Result<void> IdentityReading::load(std::span<const Token> start) {
    rules_ = CDP_TRY(needs_.graph.rules(transaction_));
    near_.emplace(transaction_, rules_);
    return near_->load(start);
}

Result<void> IdentityReading::load_taken_back(std::span<const Token> of) {
    CDP_CHECK(near_->load_retracted());
    std::size_t rows_left = kSearchedRowsMax;
    near_->add_taken(
        CDP_TRY(taken_by_event(event_links_, *snapshot_, transaction_,
                               of.first(std::min(of.size(), kSearchedMax)), rows_left)));
    return Result<void>::ok();
}

std::vector<Token> IdentityReading::lost_ones() const {
    std::set<Token> out;
    for (const auto* link : near_->taken())
        for (const Token& end : {link->a, link->b})
            if (out.size() < kLostMax && !near_->find(end)) out.insert(end);
    return {out.begin(), out.end()};
}

Shown IdentityReading::shown(std::string json) const {
    Looked whom;
    for (const auto& [token, opened] : identifiers_) whom.identifiers.push_back(token);
    return {std::move(json), std::move(whom)};
}

PersonId IdentityReading::person_of(std::uint32_t node) const {
    const auto folded = near_->folded();
    return PersonId{folded.nodes[folded.partition.anchor[node]].rank.bytes};
}

Result<std::string> IdentityReading::identifier(std::uint32_t node) {
    return "{" + CDP_TRY(identifier_members(member(node).token)) + "}";
}

Result<std::string> IdentityReading::identifier_members(const Token& token) {
    const auto [known, fresh] = identifiers_.try_emplace(token);
    if (fresh) known->second = CDP_TRY(open(token));
    return known->second;
}

Result<std::string> IdentityReading::open(const Token& token) {
    const auto node = CDP_TRY(needs_.graph.find(transaction_, token));
    if (!node) return damaged("a link without its node");
    const auto type = "\"type\":" + json_string(node->type);
    const auto key = CDP_TRY(needs_.vault.find(*snapshot_, token));
    if (!key) return type + ",\"value\":null";
    const auto value = CDP_TRY(identity::Graph::open(*key, token, *node));
    return type + ",\"value\":" + json_string(value.value);
}

Result<std::string> IdentityReading::source(std::uint32_t hash) {
    const auto [known, fresh] = sources_.try_emplace(hash);
    if (fresh) known->second = json_string(CDP_TRY(needs_.sources.name(*snapshot_, hash)));
    return known->second;
}

Result<std::string> IdentityReading::evidence(const identity::Evidence& evidence) {
    std::string out = "\"class\":\"" + std::string(to_string(evidence.link_class)) + "\"";
    if (evidence.sources == std::vector{identity::kHashEquality})
        return out + ",\"hash_equality\":true";
    JsonList sources;
    for (const auto hash : evidence.sources)
        if (hash != identity::kHashEquality) sources.add(CDP_TRY(source(hash)));
    return out + ",\"first_seen\":\"" + format_day(evidence.first_day) + "\",\"last_seen\":\"" +
           format_day(evidence.last_day) +
           "\",\"days\":" + std::to_string(std::popcount(evidence.days)) +
           ",\"sources\":" + sources.str();
}

// Events that are retracted say nothing of who is who.
Result<std::string> IdentityReading::events(const Token& a, const Token& b,
                                            const identity::Evidence& evidence) {
    JsonList list;
    if (evidence.sources == std::vector{identity::kHashEquality}) return list.str();
    const Pairing pairing{a, b, evidence.first_day, evidence.last_day};
    for (const EventRow& row :
         CDP_TRY(seen_together(*snapshot_, pairing, kEventsPerHop, rows_left_))) {
        if (CDP_TRY(identity::Assertions::retracted(transaction_, row.place.id))) continue;
        const auto event = CDP_TRY(attribution_.open(row));
        if (event) list.add(event_json(row, *event));
    }
    return list.str();
}

Result<std::vector<AssertionId>> IdentityReading::assertions(const Token& token, AssertionKind kind,
                                                             const Token& other) {
    std::vector<AssertionId> ids;
    for (const auto& entry : CDP_TRY(identity::Assertions::entries(transaction_, token)))
        if (entry.kind == kind && entry.other == other) ids.push_back(entry.id);
    return ids;
}

Result<std::string> IdentityReading::value_list(const std::vector<std::uint32_t>& nodes) {
    JsonList list;
    for (std::size_t i = 0; i < std::min(nodes.size(), kValuesMax); ++i)
        list.add(CDP_TRY(identifier(nodes[i])));
    return list.str();
}

// An identifier that joins nobody, and why. A path that leads through it asks twice.
Result<std::string> IdentityReading::outsider(std::uint32_t node) {
    const auto [known, fresh] = outsiders_.try_emplace(node);
    if (fresh) known->second = CDP_TRY(outsider_json(node));
    return known->second;
}

Result<std::string> IdentityReading::outsider_json(std::uint32_t node) {
    const auto& [token, stored] = std::tie(member(node).token, member(node).node);
    std::string out = "{" + CDP_TRY(identifier_members(token));
    const auto reason = out_of_play(near_->folded(), node);
    if (reason == Apart::blocked)
        return out + "," + assertions_member(CDP_TRY(assertions(token, AssertionKind::block))) +
               "}";
    if (reason == Apart::candidate) {
        if (stored.twin) out += ",\"twin\":{" + CDP_TRY(identifier_members(*stored.twin)) + "}";
        return out + "}";
    }
    const auto seen = CDP_TRY(identity::seen_with(transaction_, rules_, token, stored));
    out += ",\"seen_with\":" + seen_with_json(seen);
    const auto asserted = CDP_TRY(assertions(token, AssertionKind::shared));
    if (!asserted.empty()) return out + "," + assertions_member(asserted) + "}";
    if (!seen.because.empty()) out += ",\"because\":\"" + std::string(seen.because) + "\"";
    return out + "}";
}

Result<std::string> IdentityReading::refusal(const Hop& hop) {
    if (hop.by == Hop::By::retracted)
        return "\"reason\":\"retracted\"," + CDP_TRY(said_members(near_->retracted(hop.at).by));
    const auto folded = near_->folded();
    const auto clash = clash_of(folded, hop);
    std::string out = "\"reason\":\"" + std::string(to_string(*hop.refused)) + "\"";
    switch (*hop.refused) {
        case Apart::unique_type:
        case Apart::limit: {
            if (clash.from.empty()) return out;
            const auto& type = *folded.nodes[clash.from[0]].type;
            out += ",\"most\":" + std::to_string(type.unique ? 1 : type.limit);
            if (!type.unique && type.limit_window_days > 0)
                out += ",\"window_days\":" + std::to_string(type.limit_window_days);
            return out + ",\"between\":[" + CDP_TRY(value_list(clash.from)) + "," +
                   CDP_TRY(value_list(clash.to)) + "]";
        }
        case Apart::cannot_link: {
            if (clash.from.empty()) return out;
            const auto cannot =
                CDP_TRY(assertions(member(clash.from[0]).token, AssertionKind::cannot_link,
                                   member(clash.to[0]).token));
            out += ",\"between\":[" + CDP_TRY(value_list(clash.from)) + "," +
                   CDP_TRY(value_list(clash.to)) + "],";
            return out + CDP_TRY(said_members(cannot));
        }
        case Apart::shared:
        case Apart::blocked:
        case Apart::candidate: {
            JsonList list;
            for (const auto node : clash.from) list.add(CDP_TRY(outsider(node)));
            for (const auto node : clash.to) list.add(CDP_TRY(outsider(node)));
            return out + ",\"outside\":" + list.str();
        }
        case Apart::size: return out;
    }
    return out;
}

Result<std::string> IdentityReading::said_members(const std::vector<AssertionId>& ids) {
    JsonList list;
    for (const auto& id : ids) {
        const auto assertion = CDP_TRY(assertions_.find(transaction_, id));
        if (!assertion) return damaged("what stands without its assertion");
        list.add("{\"assertion\":" + hex_string(id.view()) + ",\"kind\":\"" +
                 std::string(to_string(assertion->kind)) +
                 "\",\"author\":" + json_string(assertion->said.author) +
                 ",\"reason\":" + json_string(assertion->said.reason) +
                 time_member("time", assertion->said.time) + "}");
    }
    return assertions_member(ids) + ",\"said\":" + list.str();
}

}  // namespace cdp
