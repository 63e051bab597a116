#include "identity/sitting.h"

#include <algorithm>
#include <array>

#include "identity/damage.h"
#include "identity/hashed.h"
#include "identity/shared.h"
#include "storage/key.h"

namespace identity {
namespace {

// Whether a new neighbour may pass one of the type's sharing limits: then its links must be
// counted.
bool counts(const IdentifierType& type, LinkClass neighbour) {
    return !type.unique || (neighbour == LinkClass::account && type.shared_at_accounts > 0) ||
           (is_contact(neighbour) && type.contacts_max > 0) ||
           (neighbour == LinkClass::cookie && type.cookies_max > 0);
}

std::string hash_form_prefix(const cdp::Token& hash) {
    return storage::KeyWriter(storage::Space::hash_form, hash).str();
}

}  // namespace

cdp::Result<Observed> Sitting::run() {
    gather();
    CDP_CHECK(load());
    Observed out;
    out.home_key = CDP_TRY(meet_all());
    if (!observation_.retracted) write_links();
    const bool folds = CDP_TRY(must_fold());
    out.said = Observed::Said{{}, {std::move(reads_), observation_.time}};
    if (folds) {
        write_unplaced();
        for (const Seat& seat : seats_) out.unsettled.push_back(seat.sighting->token);
        out.unsettled.insert(out.unsettled.end(), equal_.begin(), equal_.end());
    } else {
        CDP_CHECK(place_made());
    }
    return out;
}

void Sitting::gather() {
    for (const Sighting& sighting : observation_.sightings) add(sighting, /*seen=*/true, {});
    const auto n = seats_.size();
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = a + 1; b < n; ++b) pairs_.push_back({a, b});
    if (const auto& alias = observation_.alias) {
        for (const auto& [one, other] : {std::pair(&alias->account, &alias->cookie),
                                         std::pair(&alias->cookie, &alias->account)}) {
            if (const auto at = add(*one, /*seen=*/false, other->token); at != 0)
                pairs_.push_back({0, at});
        }
    }
    if (observation_.retracted) pairs_.clear();
    const auto day = cdp::day_of(observation_.time);
    for (Pair& pair : pairs_)
        pair.row = link_day(std::max(seats_[pair.a].sighting->identifier.link_class,
                                     seats_[pair.b].sighting->identifier.link_class),
                            day, observation_.source);
}

// The seat of a sighting; an identifier that is there already keeps its seat, and its pairs.
std::size_t Sitting::add(const Sighting& sighting, bool seen, std::optional<cdp::Token> twin) {
    for (std::size_t i = 0; i < seats_.size(); ++i)
        if (token(i) == sighting.token) {
            seats_[i].twin = twin;
            return 0;
        }
    seats_.push_back({&sighting, &rules_.type_of(sighting.identifier.type), seen, twin});
    return seats_.size() - 1;
}

// Nodes and links in one read.
cdp::Result<void> Sitting::load() {
    std::vector<std::string> keys;
    keys.reserve(seats_.size() + pairs_.size());
    for (const Seat& seat : seats_) keys.push_back(node_key(seat.sighting->token));
    for (const Pair& pair : pairs_) {
        const auto& [lesser, greater] = std::minmax(token(pair.a), token(pair.b));
        keys.push_back(link_key(lesser, greater, pair.row));
    }
    for (const auto& key : keys) reads_.add_key(key);
    const auto rows = CDP_TRY(transaction_.multi_get(keys));
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        if (!rows[i]) {
            seats_[i].made = true;
            continue;
        }
        auto node = decode_node(*rows[i]);
        if (!node) return damaged("a node that cannot be read");
        seats_[i].node = std::move(*node);
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
        Pair& pair = pairs_[i];
        const auto& row = rows[seats_.size() + i];
        pair.fresh_row = !row;
        pair.changed = true;
        if (!row) continue;
        const auto known = decode_link(keys[seats_.size() + i], *row);
        if (!known) return damaged("a link that cannot be read");
        pair.changed = (known->row.days & pair.row.days) == 0;
        pair.fresh_row = !any_counts(known->row);
        pair.row.days |= known->row.days;
    }
    return cdp::Result<void>::ok();
}

// Rows stay when what they say was taken back; until they say more it is as if they were not there.
bool Sitting::any_counts(const LinkDays& row) const {
    auto days = row.days;
    for (const Retraction& range : rules_.retractions) days &= ~range.days_of(row);
    return days != 0;
}

// Makes the nodes that are new, brings the others up to date; the key of the home.
cdp::Result<storage::SubjectKey> Sitting::meet_all() {
    std::optional<storage::SubjectKey> home;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        Seat& seat = seats_[i];
        if (seat.made) {
            const auto key = CDP_TRY(make(seat));
            if (i == 0) home = key;
        } else {
            update(seat);
        }
    }
    if (home) return *home;
    if (auto key = CDP_TRY(vault_.find(snapshot_, token(0)))) return *key;
    // Made earlier in this very transaction.
    return vault_.find_or_make(transaction_, token(0));
}

cdp::Result<storage::SubjectKey> Sitting::make(Seat& seat) {
    const Sighting& sighting = *seat.sighting;
    const auto key = CDP_TRY(vault_.find_or_make(transaction_, sighting.token));
    Node& node = seat.node;
    node.type = sighting.identifier.type;
    node.link_class = seat.type->link_class;
    node.rank = vault_.rank(sighting.identifier.type, sighting.identifier.value);
    node.seen = seat.seen;
    node.active = seat.seen;  // the fold says whether a candidate counts
    node.twin = seat.twin;
    node.first_seen = observation_.time;
    const auto row = node_key(sighting.token);
    node.sealed = storage::Vault::seal(
        key, row, encode(NodeValue{sighting.identifier.value, sighting.identifier.raw}));
    const cdp::PersonId person{node.rank.bytes};
    transaction_.put(storage::KeyWriter(storage::Space::person, person).str(),
                     std::string(sighting.token.view()));
    CDP_CHECK(link_hashes(seat));
    return key;
}

// An address and a hash of it are one identifier in two spellings: whichever comes second finds the
// first.
cdp::Result<void> Sitting::link_hashes(const Seat& seat) {
    const auto& identifier = seat.sighting->identifier;
    const auto& own = seat.sighting->token;
    if (const auto hashed = hashed_type_of(identifier.type)) {
        for (const auto& form : hashed_forms(seat.type->form, identifier.value)) {
            const auto hash = vault_.token(*hashed, form.hex);
            transaction_.put(hash_form_prefix(hash) + std::string(own.view()), "");
            if (CDP_TRY(transaction_.get(node_key(hash)))) link_equal(own, hash);
        }
        return cdp::Result<void>::ok();
    }
    if (seat.type->form != Form::sha256) return cdp::Result<void>::ok();
    std::vector<cdp::Token> plain;
    CDP_CHECK(transaction_.scan(hash_form_prefix(own), [&](std::string_view key, std::string_view) {
        plain.push_back(storage::KeyReader(key).id<cdp::Token>());
        return true;
    }));
    for (const auto& known : plain) link_equal(own, known);
    return cdp::Result<void>::ok();
}

void Sitting::link_equal(const cdp::Token& a, const cdp::Token& b) {
    const auto row = hash_equality();
    transaction_.put(link_key(a, b, row), encode_days(row.days));
    transaction_.put(link_key(b, a, row), encode_days(row.days));
    equal_.push_back(a);
    equal_.push_back(b);
}

void Sitting::update(Seat& seat) {
    Node next = seat.node;
    if (seat.seen) next.seen = true;
    if (seat.twin) next.twin = seat.twin;
    next.first_seen = std::min(next.first_seen, observation_.time);
    if (next == seat.node) return;
    seat.changed = next.seen != seat.node.seen || next.twin != seat.node.twin;
    seat.node = std::move(next);
    transaction_.put(node_key(seat.sighting->token), encode(seat.node));
}

void Sitting::write_links() {
    for (const Pair& pair : pairs_) {
        if (!pair.changed) continue;
        const auto value = encode_days(pair.row.days);
        transaction_.put(link_key(token(pair.a), token(pair.b), pair.row), value);
        transaction_.put(link_key(token(pair.b), token(pair.a), pair.row), value);
    }
}

// False when the partition is the old one with the new identifiers added to one person: what most
// observations are. Everything that could make the fold say otherwise is ruled out.
cdp::Result<bool> Sitting::must_fold() {
    if (!equal_.empty()) return true;
    if (limited_ && anything_new()) return true;
    if (retracted() && anything_new()) return true;
    const Node* person = nullptr;
    if (seats_demand_fold(person) || pairs_demand_fold(person)) return true;
    const bool any_made = std::ranges::any_of(seats_, [](const Seat& seat) { return seat.made; });
    if (any_made && !may_attach(person)) return true;
    const bool grows =
        any_made || std::ranges::any_of(pairs_, [](const Pair& pair) { return pair.fresh_row; });
    if (!grows || !person) return false;
    return !CDP_TRY(fits(*person));
}

bool Sitting::anything_new() const {
    return std::ranges::any_of(pairs_, [](const Pair& pair) { return pair.changed; }) ||
           std::ranges::any_of(seats_, [](const Seat& seat) { return seat.made; });
}

// Whether what the source says of that day was taken back.
bool Sitting::retracted() const {
    const auto day = cdp::day_of(observation_.time);
    return std::ranges::any_of(rules_.retractions, [&](const Retraction& range) {
        return range.covers(observation_.source, day);
    });
}

// `person`: of the known identifiers.
bool Sitting::seats_demand_fold(const Node*& person) const {
    const bool new_rows =
        std::ranges::any_of(pairs_, [](const Pair& pair) { return pair.fresh_row; });
    for (const Seat& seat : seats_) {
        if (!seat.seen || seat.changed) return true;
        if (seat.made) continue;
        if (!seat.node.placed()) return true;  // by an observation before in this transaction
        if (seat.node.asserted && anything_new()) return true;
        if (seat.node.twin && new_rows) return true;
        if (person && person->anchor != seat.node.anchor && new_rows) return true;
        if (!person) person = &seat.node;
    }
    return false;
}

bool Sitting::pairs_demand_fold(const Node* person) const {
    for (const Pair& pair : pairs_) {
        if (is_cut(pair)) continue;
        if (pair.fresh_row && (!person || !may_add(pair))) return true;
        const bool contested = seats_[pair.a].node.contested || seats_[pair.b].node.contested;
        if (contested && pair.changed) return true;
    }
    return false;
}

// Links of the class join a known end to too many already, and neither end counts the other.
bool Sitting::is_cut(const Pair& pair) const {
    const Seat& a = seats_[pair.a];
    const Seat& b = seats_[pair.b];
    const auto cut = [&](const Seat& seat) {
        return !seat.made && seat.node.level < pair.row.link_class && !seat.node.shared;
    };
    return (cut(a) || cut(b)) && count_nothing(a, b);
}

// Neither is made shared by being seen with the other.
bool Sitting::count_nothing(const Seat& a, const Seat& b) {
    return (a.made || !counts(*a.type, b.node.link_class)) &&
           (b.made || !counts(*b.type, a.node.link_class));
}

// Whether a link of a new pair can be added without looking at other links: neither end's sharing
// limits count the other.
bool Sitting::may_add(const Pair& pair) const {
    const Seat& a = seats_[pair.a];
    const Seat& b = seats_[pair.b];
    if (a.node.shared || b.node.shared) return false;
    return count_nothing(a, b);
}

// Whether the new identifiers join `person`, or nobody, and leave its name alone.
bool Sitting::may_attach(const Node* person) const {
    if (!person) return seats_.size() == 1;  // the first sighting of one identifier, alone
    if (person->shared || person->blocked) return false;
    Neighbours others;
    for (const Seat& seat : seats_) others.add(seat.node.link_class);
    return std::ranges::all_of(seats_, [&](const Seat& seat) {
        if (!seat.made) return true;
        const IdentifierType& type = *seat.type;
        const auto link_class = seat.node.link_class;
        Neighbours without = others;
        without.accounts -= link_class == LinkClass::account;
        without.contacts -= is_contact(link_class);
        without.cookies -= link_class == LinkClass::cookie;
        --without.all;
        return !type.unique && type.limit == 0 && !without.make_shared(type) &&
               !better_anchor(link_class, seat.node.rank, person->anchor_class,
                              person->anchor_rank);
    });
}

// Some link to a known identifier is of a class that still joins.
bool Sitting::attaches(std::size_t seat, const Node& person) const {
    return std::ranges::any_of(pairs_, [&](const Pair& pair) {
        if (pair.a != seat && pair.b != seat) return false;
        const auto other = pair.a == seat ? pair.b : pair.a;
        return !seats_[other].made && pair.row.link_class <= person.level;
    });
}

// Whether the person's component stays within bounds; counts what is attached. Rows of known pairs
// count again, so that it is never too few.
cdp::Result<bool> Sitting::fits(const Node& person) {
    const auto row = CDP_TRY(transaction_.get(node_key(person.anchor)));
    anchor_ = row ? decode_node(*row) : std::nullopt;
    if (!anchor_) return damaged("an anchor that cannot be read");
    const Node before = *anchor_;
    for (std::size_t i = 0; i < seats_.size(); ++i)
        if (seats_[i].made && attaches(i, person)) ++anchor_->component;
    for (const Pair& pair : pairs_)
        if (pair.fresh_row && pair.row.link_class <= person.level) ++anchor_->component_links;
    if (*anchor_ == before) {
        anchor_.reset();
        return true;
    }
    return anchor_->component <= rules_.bounds.identifiers &&
           anchor_->component_links <= rules_.bounds.links;
}

// For the fold to place.
void Sitting::write_unplaced() {
    for (const Seat& seat : seats_)
        if (seat.made) transaction_.put(node_key(seat.sighting->token), encode(seat.node));
}

// Members of the known one's person, or alone where their links are cut, or they are the only ones.
cdp::Result<void> Sitting::place_made() {
    const auto known = std::ranges::find_if(seats_, [](const Seat& s) { return !s.made; });
    if (anchor_) transaction_.put(node_key(known->node.anchor), encode(*anchor_));
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        Seat& seat = seats_[i];
        if (!seat.made) continue;
        Node& node = seat.node;
        if (known != seats_.end() && attaches(i, known->node)) {
            node.anchor = known->node.anchor;
            node.anchor_rank = known->node.anchor_rank;
            node.anchor_class = known->node.anchor_class;
            node.level = known->node.level;
        } else {
            node.anchor = token(i);
            node.anchor_rank = node.rank;
            node.anchor_class = node.link_class;
            node.level = alone_level(i);
        }
        transaction_.put(node_key(token(i)), encode(node));
        transaction_.put(member_key(node.anchor, token(i)), encode_since(observation_.received));
    }
    return cdp::Result<void>::ok();
}

// Links of the best of its classes connect it to too many, so the class before is what is left.
LinkClass Sitting::alone_level(std::size_t seat) const {
    auto level = LinkClass::probabilistic;
    for (const Pair& pair : pairs_)
        if (pair.a == seat || pair.b == seat)
            level = std::min(
                level, static_cast<LinkClass>(static_cast<std::uint8_t>(pair.row.link_class) - 1));
    return level;
}

}  // namespace identity
