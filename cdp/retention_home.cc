#include "cdp/retention_home.h"

#include <algorithm>

#include "cdp/event_links.h"
#include "cdp/group_rows.h"
#include "cdp/retention.h"
#include "cdp/retention_traits.h"
#include "cdp/sightings.h"
#include "cdp/tombstones.h"
#include "cdp/trait_rows.h"
#include "identity/assertion.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::Space;

constexpr std::size_t kStepRows = 400;
constexpr std::size_t kStepBytes = 4 * 1024 * 1024;

// Where an event was that is merged into another: nowhere, and nobody's.
const Token kMerged = Token::from("merged into one.");

std::vector<Token> named_in(const identity::Observation& seen) {
    std::vector<Token> out;
    for (const auto& sighting : seen.sightings) out.push_back(sighting.token);
    return out;
}

}  // namespace

Timestamp latest_past_of(const Config& config, Timestamp now) {
    auto latest = Timestamp::min();
    for (const auto& rule : config.retention)
        latest = std::max(latest, latest_past(now, rule.keep));
    return latest;
}

bool DamagedRows::is_damage(std::string_view row, const Error& error, std::uint64_t& count) {
    if (error.code != ErrorCode::corruption) return false;
    if (counted_.emplace(row).second) ++count;
    return true;
}

class HomeRetention::Step {
public:
    Step(HomeRetention& home, People::Reading reading, const storage::SubjectKey& key,
         PrunedSoFar pruned)
        : home_(home),
          needs_(*home.needs_),
          reading_(reading),
          looking_(reading.snapshot, storage::kPartition),
          key_(key),
          pruned_(pruned) {}

    // False: the commit has no room for what it may write.
    Result<bool> visit(const std::string& row, const std::string& sealed);
    // Whether these were all.
    Result<bool> visit_traits();

private:
    struct Read {
        Place place;
        StoredEvent stored;
        std::optional<Event> event;
        identity::Observation seen;
    };

    template <typename T>
    Result<std::optional<T>> readable(std::string_view row, Result<T>&& read) {
        return home_.damaged_.readable(row, std::move(read), pruned_.unreadable);
    }
    bool has_room_for(const Read& read) const;

    Result<Read> open(const std::string& row, const std::string& sealed) const;
    Result<void> shorten(const std::string& row, const Read& read);
    Result<void> become_remnant(const std::string& row, Read& read);
    Result<void> merge(const Read& read);
    Result<bool> stands_alone(const Read& read);
    Result<bool> needs_its_moment(const Read& read);
    Result<bool> is_contested(const Token& token, std::int32_t day);
    Result<bool> is_beside_what_stays(const identity::Sighting& sighting, Timestamp time);
    Result<std::vector<Timestamp>> staying_near(const Token& token, Timestamp day);
    Result<void> drop(const Alike::One& one);
    Result<void> keep(const Read& read, std::span<const Trait> traits);
    Result<void> keep_row(const storage::SubjectKey& key, const std::string& row, const Read& read,
                          const Trait& trait);
    Result<void> put(const std::string& row, const StoredEvent& event);

    HomeRetention& home_;
    const Needs& needs_;
    People::Reading reading_;
    storage::Transaction looking_;  // what may change meanwhile without harm
    const storage::SubjectKey& key_;
    PrunedSoFar pruned_;
    std::map<Token, std::set<std::int32_t>> contested_ = {};
};

HomeRetention::HomeRetention(const Needs& needs, const Token& home, Timestamp now)
    : needs_(&needs),
      home_(home),
      now_(now),
      from_(event_key(home, latest_past_of(needs.config, now), EventId{})) {}

Result<bool> HomeRetention::step(People::Reading reading, PrunedSoFar pruned, std::size_t& rows) {
    const auto key = needs_->vault.find(reading.snapshot, home_);
    if (!key && key.error().code != ErrorCode::corruption) return key.error();
    if (!key) ++pruned.unreadable;
    if (!key || !*key) return true;  // damaged; erased
    std::vector<std::pair<std::string, std::string>> found;
    const auto most = std::min(kStepRows, rows);
    std::size_t bytes = 0;
    bool all = true;
    CDP_CHECK(reading.snapshot.scan(storage::KeyWriter(Space::event, home_).str(), from_,
                                    [&](std::string_view row, std::string_view sealed) {
                                        all = found.size() < most && bytes < kStepBytes;
                                        if (all) found.emplace_back(row, sealed);
                                        bytes += sealed.size();
                                        return all;
                                    }));
    Step step(*this, reading, **key, pruned);
    for (const auto& [row, sealed] : found) {
        if (!CDP_TRY(step.visit(row, sealed))) return false;
        from_ = row + '\0';
        met_ = true;
        --rows;
    }
    return all ? step.visit_traits() : Result<bool>(false);
}

// Its traits that no other event says, pointers and row; the row, pointers and dedupe row of the
// one it is merged with; and the run's own.
bool HomeRetention::Step::has_room_for(const Read& read) const {
    const auto written = reading_.transaction.writes().size();
    if (written == 0 || !read.event) return written < kPrunedRowsMax - 1;
    return written + read.event->traits.size() + read.event->group_traits.size() + kIdentifiersMax +
               5 <=
           kPrunedRowsMax;
}

Result<HomeRetention::Step::Read> HomeRetention::Step::open(const std::string& row,
                                                            const std::string& sealed) const {
    Read out;
    storage::KeyReader in(row);
    out.place.time = in.newest_first();
    out.place.id = in.id<EventId>();
    auto stored = decode_event(CDP_TRY(storage::Vault::open(key_, row, sealed)));
    if (!stored || !in.ok()) return damaged("an event that cannot be read");
    out.stored = std::move(*stored);
    out.event = read_again(out.stored, needs_.config);
    if (!out.event) return out;
    out.event->time = out.place.time;
    out.seen = observation_of(*out.event, source_hash_of(needs_.vault, out.stored.source),
                              needs_.graph, needs_.config.types);
    return out;
}

Result<bool> HomeRetention::Step::visit(const std::string& row, const std::string& sealed) {
    auto read = CDP_TRY(readable(row, open(row, sealed)));
    if (!read) return true;
    if (!has_room_for(*read)) return false;
    if (!read->stored.remnant) {
        const auto expiry =
            event_expiry(needs_.config, read->stored.type, read->stored.name, read->place.time);
        if (!is_past(expiry, home_.now_)) {
            CDP_CHECK(shorten(row, *read));
            return true;
        }
        CDP_CHECK(become_remnant(row, *read));
        ++pruned_.rules[expiry->rule].events;
    }
    CDP_CHECK(merge(*read));
    return true;
}

// Whoever erases it meanwhile wins.
Result<void> HomeRetention::Step::put(const std::string& row, const StoredEvent& event) {
    CDP_TRY(reading_.transaction.get(row));
    reading_.transaction.put(row, storage::Vault::seal(key_, row, encode(event)));
    return Result<void>::ok();
}

Result<void> HomeRetention::Step::shorten(const std::string& row, const Read& read) {
    if (!has_rules_of_parts(needs_.config) || !read.event) return Result<void>::ok();
    const auto property = [&](std::string_view name) {
        const auto expiry = property_expiry(needs_.config, name, read.place.time);
        if (!is_past(expiry, home_.now_)) return false;
        ++pruned_.rules[expiry->rule].properties;
        return true;
    };
    const auto trait = [&](std::string_view name) {
        return is_past(trait_expiry(needs_.config, name, read.place.time), home_.now_);
    };
    const auto left = without(read.stored, *read.event, {property, trait}, needs_.config);
    if (!left) return Result<void>::ok();
    CDP_CHECK(put(row, left->event));
    return keep(read, left->traits);
}

Result<void> HomeRetention::Step::become_remnant(const std::string& row, Read& read) {
    if (read.event) {
        CDP_CHECK(keep(read, read.event->traits));
        if (!read.event->group_id.empty() && !read.event->group_traits.empty()) {
            const auto group = needs_.groups.id_of(read.event->group_id);
            const auto key = CDP_TRY(
                readable(group.view(), needs_.vault.find(reading_.snapshot, subject_of(group))));
            if (key && *key)
                for (const Trait& one : read.event->group_traits)
                    CDP_CHECK(keep_row(
                        **key,
                        group_trait_key(group, needs_.vault.hash<TraitName>("trait", one.name)),
                        read, one));
        }
        read.stored = remnant_of(read.stored, *read.event);
    } else {
        // Today's rules find nobody in it: nor will they in this.
        read.stored.raw = "{}";
        read.stored.name.clear();
        read.stored.message_id.clear();
        read.stored.remnant = true;
    }
    return put(row, read.stored);
}

// What the event is the only one to say stays, as a fact, until its own time is up.
Result<void> HomeRetention::Step::keep(const Read& read, std::span<const Trait> traits) {
    for (const Trait& one : traits)
        CDP_CHECK(keep_row(key_,
                           trait_key(home_.home_, needs_.vault.hash<TraitName>("trait", one.name)),
                           read, one));
    return Result<void>::ok();
}

Result<void> HomeRetention::Step::keep_row(const storage::SubjectKey& key, const std::string& row,
                                           const Read& read, const Trait& trait) {
    const auto sealed = CDP_TRY(reading_.transaction.get(row));
    if (!sealed) return Result<void>::ok();
    auto stored = CDP_TRY(readable(row, open_trait(key, row, *sealed)));
    if (!stored) return Result<void>::ok();
    const StoredTrait said{trait.name,        trait.json,         read.place.time,
                           read.stored.trust, read.stored.source, stored->tellers};
    if (!stored->tellers.empty() || *stored != said) return Result<void>::ok();
    stored->tellers = tokens_of(read.seen);
    reading_.transaction.put(row, storage::Vault::seal(key, row, encode(*stored)));
    return Result<void>::ok();
}

Result<void> HomeRetention::Step::merge(const Read& read) {
    const auto day = day_of(read.place.time);
    if (std::exchange(home_.day_, day) != day) {
        home_.alike_.clear();
        home_.staying_.clear();
    }
    if (!read.event || CDP_TRY(stands_alone(read))) return Result<void>::ok();
    auto& alike = home_.alike_[what_it_says(read.stored)];
    const Alike::One one{read.place, named_in(read.seen)};
    if (has_stamps(*read.event) && !alike.last) {
        alike.last = one;
        return Result<void>::ok();
    }
    const auto later = std::exchange(alike.first, one);
    if (!later) return Result<void>::ok();
    CDP_CHECK(drop(*later));
    if (stands_for_several(read.stored)) return Result<void>::ok();
    return put(event_key(home_.home_, one.place.time, one.place.id),
               standing_for_several(read.stored));
}

// Of what cannot be told, nothing is merged.
Result<bool> HomeRetention::Step::stands_alone(const Read& read) {
    const auto alone = CDP_TRY(readable(read.place.id.view(), needs_its_moment(read)));
    return !alone || *alone;
}

// Whether its very moment, or that it is this event, still matters.
Result<bool> HomeRetention::Step::needs_its_moment(const Read& read) {
    if (CDP_TRY(identity::Assertions::retracted(looking_, read.place.id))) return true;
    for (const auto& sighting : read.seen.sightings) {
        const auto node = CDP_TRY(needs_.graph.find(looking_, sighting.token));
        if (node && node->shared) return true;
        // Whoever was erased is named by what is later alone.
        if (CDP_TRY(Tombstones::find(looking_, sighting.token))) return true;
        if (has_stamps(*read.event) &&
            CDP_TRY(is_contested(sighting.token, day_of(read.place.time))))
            return true;
        if (CDP_TRY(is_beside_what_stays(sighting, read.place.time))) return true;
    }
    return false;
}

// What is somebody's alone today may be shared tomorrow: then this tells whose the events beside it
// are.
Result<bool> HomeRetention::Step::is_beside_what_stays(const identity::Sighting& sighting,
                                                       Timestamp time) {
    using identity::LinkClass;
    const auto link_class = sighting.identifier.link_class;
    if (link_class == LinkClass::account || link_class == LinkClass::crm) return false;
    auto known = home_.staying_.find(sighting.token);
    if (known == home_.staying_.end()) {
        const auto day = std::chrono::floor<std::chrono::days>(time);
        known = home_.staying_
                    .emplace(sighting.token, CDP_TRY(staying_near(sighting.token, Timestamp(day))))
                    .first;
    }
    return std::ranges::any_of(known->second, [&](Timestamp other) {
        return std::chrono::abs(other - time) <= kSessionReach;
    });
}

Result<std::vector<Timestamp>> HomeRetention::Step::staying_near(const Token& token,
                                                                 Timestamp day) {
    std::vector<Timestamp> out;
    const auto key = needs_.vault.find(reading_.snapshot, token);
    if (!key && key.error().code != ErrorCode::corruption) return key.error();
    if (!key || !*key) return out;
    const auto stays = [&](std::string_view row, std::string_view sealed, Timestamp time) {
        const auto plain = storage::Vault::open(**key, row, sealed);
        const auto event = plain ? decode_event(*plain) : std::nullopt;
        return !event ||
               (!event->remnant &&
                !is_past(event_expiry(needs_.config, event->type, event->name, time), home_.now_));
    };
    const auto until = day + std::chrono::days{1} + kSessionReach;
    CDP_CHECK(reading_.snapshot.scan(storage::KeyWriter(Space::event, token).str(),
                                     event_key(token, until, EventId{}),
                                     [&](std::string_view row, std::string_view sealed) {
                                         const auto time = storage::KeyReader(row).newest_first();
                                         if (time < day - kSessionReach) return false;
                                         if (stays(row, sealed, time)) out.push_back(time);
                                         return true;
                                     }));
    return out;
}

Result<bool> HomeRetention::Step::is_contested(const Token& token, std::int32_t day) {
    const auto [known, fresh] = contested_.try_emplace(token);
    if (fresh) {
        const auto said = CDP_TRY(needs_.consents.load(reading_.snapshot, looking_, token));
        for (const auto& one : consent::contested(token, said.facts)) known->second.insert(one.day);
    }
    return known->second.contains(day);
}

Result<void> HomeRetention::Step::drop(const Alike::One& one) {
    auto& transaction = reading_.transaction;
    const auto row = event_key(home_.home_, one.place.time, one.place.id);
    CDP_TRY(transaction.get(row));
    transaction.erase(row);
    for (const Token& token : one.named)
        if (token != home_.home_)
            transaction.erase(pointer_key(token, one.place.time, one.place.id));
    const auto dedupe = dedupe_key(one.place.id);
    const auto known = CDP_TRY(transaction.get(dedupe));
    const auto seen = known ? decode_seen(*known) : std::nullopt;
    if (seen && seen->home == home_.home_)
        transaction.put(dedupe, encode(Seen{seen->expires, kMerged, {}}));
    return Result<void>::ok();
}

Result<bool> HomeRetention::Step::visit_traits() {
    if (!has_rules_of_parts(needs_.config)) return true;
    TraitRetention traits({needs_.vault, needs_.config, home_.home_, key_, home_.now_,
                           reading_.transaction, home_.damaged_},
                          pruned_);
    if (!CDP_TRY(traits.prune_corrections())) return false;
    // A trait whose event is gone left a remnant behind.
    return home_.met_ ? traits.prune_kept_facts() : Result<bool>(true);
}

}  // namespace cdp
