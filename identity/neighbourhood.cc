#include "identity/neighbourhood.h"

#include <algorithm>
#include <set>

#include "identity/damage.h"
#include "identity/links.h"
#include "storage/key.h"

namespace identity {
namespace {

// Rows read in search of what was taken back, and of what a shared identifier was seen with.
constexpr std::size_t kRowsMax = 5000;
constexpr std::size_t kCountedRowsMax = 1000;
constexpr std::size_t kCountedAtOnce = 32;

}  // namespace

cdp::Result<void> Neighbourhood::load(std::span<const cdp::Token> start) {
    CDP_CHECK(component_.load(start));
    nodes_ = component_.nodes();
    links_.assign(component_.links().begin(), component_.links().end());
    CDP_CHECK(add_direct(start));
    partition_ = fold(nodes_, links_, component_.asserted(), rules_.bounds);
    return cdp::Result<void>::ok();
}

// The links of those that join nobody are not walked; what they have with each other is looked up.
cdp::Result<void> Neighbourhood::add_direct(std::span<const cdp::Token> start) {
    const auto alone = [&](std::uint32_t at) {
        return members()[at].shared || members()[at].blocked;
    };
    for (std::size_t i = 0; i < start.size(); ++i)
        for (std::size_t j = i + 1; j < start.size(); ++j) {
            const auto a = find(start[i]);
            const auto b = find(start[j]);
            if (!a || !b || a == b || !alone(*a) || !alone(*b)) continue;
            auto evidence = CDP_TRY(direct(members()[*a], start[j]));
            if (evidence) links_.push_back({*a, *b, std::move(*evidence)});
        }
    return cdp::Result<void>::ok();
}

// Of the best class.
cdp::Result<std::optional<Evidence>> Neighbourhood::direct(const Component::Member& a,
                                                           const cdp::Token& b) {
    std::optional<Evidence> evidence;
    for (int c = 0; c <= static_cast<int>(LinkClass::probabilistic) && !evidence; ++c) {
        auto prefix = link_prefix(a.token);
        prefix.push_back(static_cast<char>(c));
        prefix.append(b.view());
        bool readable = true;
        CDP_CHECK(transaction_.scan(prefix, [&](std::string_view key, std::string_view value) {
            const auto link = decode_link(key, value);
            readable = link.has_value();
            if (!readable) return false;
            LinkDays left = link->row;
            left.days &= ~taken(a, b, left);
            if (left.days == 0) return true;
            if (evidence)
                join(*evidence, evidence_of(left));
            else
                evidence = evidence_of(left);
            return true;
        }));
        if (!readable) return damaged("a link that cannot be read");
    }
    return evidence;
}

std::uint64_t Neighbourhood::taken(const Component::Member& from, const cdp::Token& to,
                                   const LinkDays& row) const {
    std::uint64_t days = 0;
    for (const auto& range : rules_.retractions) days |= range.days_of(row);
    for (const auto& [other, range] : from.standing.retracted)
        if (other == to) days |= range.days_of(row);
    return days;
}

cdp::Result<void> Neighbourhood::load_retracted() {
    if (!rules_.retractions.empty())
        of_sources_ = CDP_TRY(Assertions::source_entries(transaction_));
    std::size_t rows = 0;
    for (const auto& member : members()) {
        if (!member.expanded || member.shared || member.blocked) continue;
        auto takers = of_sources_;
        if (!member.standing.retracted.empty())
            for (auto& entry : CDP_TRY(Assertions::entries(transaction_, member.token)))
                if (entry.kind == AssertionKind::retract) takers.push_back(entry);
        if (takers.empty()) continue;
        CDP_CHECK(scan_links(transaction_, member.token, LinkClass::probabilistic,
                             [&](const cdp::Token& to, const LinkDays& row) {
                                 if (++rows > kRowsMax) return false;
                                 for (const auto& entry : takers) {
                                     if (entry.other != cdp::Token{} && entry.other != to) continue;
                                     LinkDays gone = row;
                                     gone.days = entry.range.days_of(row);
                                     if (gone.days) take({member.token, to, gone, entry.id});
                                 }
                                 return true;
                             }));
    }
    place_taken();
    return cdp::Result<void>::ok();
}

void Neighbourhood::add_taken(std::span<const Taking> takings) {
    for (const auto& taking : takings) {
        take(taking);
        // It would not count either if the event did.
        for (const auto& entry : of_sources_)
            if (entry.range.days_of(taking.days)) take({taking.a, taking.b, taking.days, entry.id});
    }
    place_taken();
}

void Neighbourhood::take(const Taking& taking) {
    const auto [least, most] = std::minmax(taking.a, taking.b);
    const auto evidence = evidence_of(taking.days);
    auto& link =
        taken_.try_emplace({least, most}, TakenLink{least, most, evidence, {}}).first->second;
    if (evidence.link_class < link.evidence.link_class)
        link.evidence = evidence;
    else if (evidence.link_class == link.evidence.link_class)
        join(link.evidence, evidence);
    const auto at = std::ranges::lower_bound(link.by, taking.by);
    if (at == link.by.end() || *at != taking.by) link.by.insert(at, taking.by);
}

void Neighbourhood::place_taken() {
    linked_.clear();
    for (const FoldLink& link : links_) linked_.insert(std::minmax(link.a, link.b));
    retracted_.clear();
    taken_at_.clear();
    for (const auto& [ends, link] : taken_) {
        const auto a = find(link.a);
        const auto b = find(link.b);
        if (!a || !b || linked(link)) continue;
        retracted_.push_back({*a, *b, link.evidence});
        taken_at_.push_back(&link);
    }
}

std::vector<const TakenLink*> Neighbourhood::taken() const {
    std::vector<const TakenLink*> out;
    for (const auto& [ends, link] : taken_) out.push_back(&link);
    return out;
}

bool Neighbourhood::linked(const TakenLink& link) const {
    const auto a = find(link.a);
    const auto b = find(link.b);
    return a && b && linked_.contains(std::minmax(*a, *b));
}

namespace {

std::string_view reason_of(const Neighbours& others, const IdentifierType& type) {
    const auto alone = [&](std::uint32_t Neighbours::* kind) {
        Neighbours one;
        one.*kind = others.*kind;
        return one.make_shared(type);
    };
    if (alone(&Neighbours::accounts)) return "accounts";
    if (alone(&Neighbours::contacts)) return "contacts";
    if (alone(&Neighbours::cookies)) return "cookies";
    return alone(&Neighbours::all) ? "all" : "";
}

}  // namespace

cdp::Result<SeenWith> seen_with(storage::Transaction& transaction, const Rules& rules,
                                const cdp::Token& token, const Node& node) {
    Standing standing;
    if (node.asserted) standing = CDP_TRY(Assertions::standing(transaction, token));
    SeenWith out;
    std::vector<std::string> keys;
    std::set<cdp::Token> known;
    std::size_t rows = 0;
    CDP_CHECK(scan_links(transaction, token, LinkClass::probabilistic,
                         [&](const cdp::Token& to, const LinkDays& row) {
                             out.more = ++rows > kCountedRowsMax || keys.size() > kNeighboursMax;
                             if (out.more) return false;
                             LinkDays left = row;
                             for (const auto& range : rules.retractions)
                                 left.days &= ~range.days_of(row);
                             for (const auto& [other, range] : standing.retracted)
                                 if (other == to) left.days &= ~range.days_of(row);
                             if (left.days && known.insert(to).second) keys.push_back(node_key(to));
                             return true;
                         }));
    const IdentifierType& type = rules.type_of(node.type);
    // Once a limit is seen to be passed, there is no need to know by how much.
    for (std::span<const std::string> rest = keys; !rest.empty();) {
        const auto part = rest.first(std::min(rest.size(), kCountedAtOnce));
        rest = rest.subspan(part.size());
        for (const auto& row : CDP_TRY(transaction.multi_get(part))) {
            const auto other = row ? decode_node(*row) : std::nullopt;
            if (!other) return damaged("a link without its node");
            if (other->seen && !other->blocked)
                out.others.add(rules.type_of(other->type).link_class);
        }
        if (!out.others.make_shared(type)) continue;
        out.more = out.more || !rest.empty();
        break;
    }
    out.because = standing.shared ? "" : reason_of(out.others, type);
    return out;
}

}  // namespace identity
