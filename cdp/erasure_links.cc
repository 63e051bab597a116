#include "cdp/erasure_links.h"

#include <algorithm>

#include "cdp/sightings.h"
#include "consent/rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::Space;

std::string name_of(const SaidLink& said) {
    const auto& [lesser, greater] = std::minmax(said.a, said.b);
    auto row = said.row;
    row.link_class = identity::LinkClass::assertion;
    return identity::link_key(lesser, greater, row) + identity::encode_days(row.days);
}

void take_earlier(std::optional<Timestamp>& first, const std::optional<Timestamp>& other) {
    if (other && (!first || *other < *first)) first = other;
}

}  // namespace

bool ErasureLinks::add(const identity::Observation& said) {
    bool stays = false;
    for (const Token& token : tokens_of(said)) {
        if (gone_.tokens.contains(token)) continue;
        named_.insert(token);
        stays = true;
    }
    if (!stays) return false;
    for (auto& one : said_by(said))
        if (!gone_.tokens.contains(one.a) && !gone_.tokens.contains(one.b))
            said_.try_emplace(name_of(one), one);
    return true;
}

// Such calls are known at their homes alone, so that every link is asked about.
Result<void> ErasureLinks::lose_twin(const Token& token) {
    named_.insert(token);
    return identity::scan_links(
        reading_.transaction, token, identity::LinkClass::probabilistic,
        [&](const Token& to, const identity::LinkDays& row) {
            if (gone_.tokens.contains(to) || row.source == identity::kHashEquality) return true;
            for (int day = 0; day < identity::kBlockDays; ++day) {
                SaidLink one{token, to, row};
                one.row.days &= 1ULL << day;
                if (one.row.days != 0) said_.try_emplace(name_of(one), one);
            }
            return true;
        });
}

Result<void> ErasureLinks::take_back(const LinkGone& tell) {
    EventDays days(links_, reading_.snapshot, reading_.transaction, &gone_);
    for (const auto& [name, said] : said_) {
        const auto written = reading_.transaction.writes().size();
        CDP_CHECK(cdp::take_back(days, reading_.transaction, said,
                                 [&](const identity::LinkDays& row) { tell(said, row); }));
        if (reading_.transaction.writes().size() == written) continue;
        around_.insert(said.a);
        around_.insert(said.b);
    }
    return Result<void>::ok();
}

Result<std::vector<Token>> ErasureLinks::alone() {
    EventDays days(links_, reading_.snapshot, reading_.transaction, &gone_);
    std::vector<Token> out;
    for (const Token& token : named_) {
        const auto node = CDP_TRY(graph_.find(reading_.transaction, token));
        if (!node || gone_.tokens.contains(token)) continue;
        const auto left = CDP_TRY(left_of(days, token, *node));
        if (left.first)
            left_.emplace(token, left);
        else
            out.push_back(token);
    }
    return out;
}

Result<void> ErasureLinks::mend_nodes() {
    for (const auto& [token, left] : left_) {
        const auto before = CDP_TRY(graph_.find(reading_.transaction, token));
        if (!before) continue;
        auto node = *before;
        node.first_seen = *left.first;
        node.seen = left.seen;
        if (!left.alias) node.twin.reset();
        if (node == *before) continue;
        reading_.transaction.put(identity::node_key(token), identity::encode(node));
        if (node.seen == before->seen && node.twin == before->twin) continue;
        around_.insert(token);
        CDP_CHECK(ask_neighbours(token));
    }
    return Result<void>::ok();
}

// Whom they are linked to counts who was seen.
Result<void> ErasureLinks::ask_neighbours(const Token& token) {
    return identity::scan_links(reading_.transaction, token, identity::LinkClass::probabilistic,
                                [&](const Token& to, const identity::LinkDays&) {
                                    if (!gone_.tokens.contains(to)) around_.insert(to);
                                    return true;
                                });
}

Result<ErasureLinks::Left> ErasureLinks::left_of(EventDays& days, const Token& token,
                                                 const identity::Node& node) {
    Left left;
    for (const auto space : {Space::event, Space::pointer})
        take_earlier(left.first, CDP_TRY(first_event(space, token, node.first_seen)));
    take_earlier(left.first, CDP_TRY(first_answer(token)));
    left.seen = left.first.has_value();
    if (!node.twin) return left;
    const auto meant = CDP_TRY(first_alias(days, token));
    left.alias = meant.has_value();
    take_earlier(left.first, meant);
    return left;
}

// Rows can be read towards the past alone, and most often the oldest stays: what is looked at
// grows from there.
Result<std::optional<Timestamp>> ErasureLinks::first_event(Space space, const Token& token,
                                                           Timestamp least) {
    constexpr std::chrono::milliseconds kLongest = std::chrono::days{400};
    const auto prefix = storage::KeyWriter(space, token).str();
    reading_.transaction.watch(prefix);
    std::chrono::milliseconds reach{0};
    for (;;) {
        std::optional<Timestamp> first;
        bool readable = true;
        const bool all = reach > kLongest;
        const auto from = all ? std::string()
                              : storage::KeyWriter(space, token).newest_first(least + reach).str();
        CDP_CHECK(reading_.snapshot.scan(prefix, from, [&](std::string_view key, std::string_view) {
            storage::KeyReader in(key);
            const auto time = in.newest_first();
            const auto id = in.id<EventId>();
            readable = in.ok();
            if (readable && !gone_.events.contains(id)) first = time;
            return readable;
        }));
        if (!readable) return damaged("an event's row that cannot be read");
        if (first || all) return first;
        reach = std::max<std::chrono::milliseconds>(std::chrono::hours{1}, reach * 4);
    }
}

// A stamp makes nobody known; the event it came with does.
Result<std::optional<Timestamp>> ErasureLinks::first_answer(const Token& token) {
    std::optional<Timestamp> first;
    CDP_CHECK(reading_.transaction.scan(consent::records_prefix(token),
                                        [&](std::string_view key, std::string_view) {
                                            storage::KeyReader in(key);
                                            in.byte();
                                            first = in.newest_first();
                                            return true;
                                        }));
    return first;
}

// What an alias call may mean is linked to the call's home, on its day.
Result<std::optional<Timestamp>> ErasureLinks::first_alias(EventDays& days, const Token& token) {
    std::vector<identity::StoredLink> links;
    CDP_CHECK(identity::scan_links(reading_.transaction, token, identity::LinkClass::probabilistic,
                                   [&](const Token& to, const identity::LinkDays& row) {
                                       if (!gone_.tokens.contains(to) &&
                                           row.source != identity::kHashEquality)
                                           links.push_back({token, to, row});
                                       return true;
                                   }));
    std::optional<Timestamp> first;
    for (const auto& link : links)
        for (int day = 0; day < identity::kBlockDays; ++day) {
            if ((link.row.days >> day & 1) == 0) continue;
            for (const Token& home : {link.to, token})
                take_earlier(first,
                             CDP_TRY(days.first_alias(home, token, link.row.first_day + day)));
        }
    return first;
}

}  // namespace cdp
