#include "identity/graph.h"

#include <algorithm>
#include <array>

#include "cdp/base/bytes.h"
#include "identity/component.h"
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

// The parts of evidence that the fold's order depends on.
bool same_order(const Evidence& a, const Evidence& b) {
    return a.link_class == b.link_class && a.days == b.days && a.last_day == b.last_day;
}

// One observation being worked in.
class Sitting {
public:
    Sitting(const storage::Vault& vault, const TypeOf& type_of, const storage::Snapshot& snapshot,
            storage::Transaction& transaction, const Observation& observation)
        : vault_(vault),
          type_of_(type_of),
          snapshot_(snapshot),
          transaction_(transaction),
          observation_(observation) {}

    cdp::Result<Observed> run() {
        gather();
        CDP_CHECK(load());
        Observed out;
        out.home_key = CDP_TRY(meet_all());
        CDP_CHECK(join_evidence());
        const bool folds = must_fold();
        out.said = Observed::Said{{}, {std::move(reads_), observation_.time}};
        write_made(/*attach=*/!folds);
        if (folds)
            for (const Seat& seat : seats_) out.unsettled.push_back(seat.sighting->token);
        return out;
    }

private:
    struct Seat {
        const Sighting* sighting = nullptr;
        const IdentifierType* type = nullptr;
        bool seen = true;  // false: a candidate of an alias call
        std::optional<cdp::Token> twin = {};
        Node node = {};
        bool made = false;     // by this observation
        bool changed = false;  // became seen, or got its twin
    };
    struct Pair {
        std::size_t a, b;
        std::optional<Evidence> before = {};
        Evidence after = {};
    };

    void gather() {
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
    }

    // The seat of a sighting; an identifier that is there already keeps its seat, and its pairs.
    std::size_t add(const Sighting& sighting, bool seen, std::optional<cdp::Token> twin) {
        for (std::size_t i = 0; i < seats_.size(); ++i)
            if (seats_[i].sighting->token == sighting.token) {
                seats_[i].twin = twin;
                return 0;
            }
        seats_.push_back({&sighting, &type_of_(sighting.identifier.type), seen, twin});
        return seats_.size() - 1;
    }

    // Nodes and links in one read.
    cdp::Result<void> load() {
        std::vector<std::string> keys;
        keys.reserve(seats_.size() + pairs_.size());
        for (const Seat& seat : seats_) keys.push_back(node_key(seat.sighting->token));
        for (const Pair& pair : pairs_) keys.push_back(link_key(lesser(pair), greater(pair)));
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
            const auto& row = rows[seats_.size() + i];
            if (!row) continue;
            pairs_[i].before = decode_evidence(*row);
            if (!pairs_[i].before) return damaged("a link that cannot be read");
        }
        return cdp::Result<void>::ok();
    }

    // Makes the nodes that are new, brings the others up to date; the key of the home.
    cdp::Result<storage::SubjectKey> meet_all() {
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
        if (auto key = CDP_TRY(vault_.find(snapshot_, seats_[0].sighting->token))) return *key;
        // Made earlier in this very transaction.
        return vault_.find_or_make(transaction_, seats_[0].sighting->token);
    }

    cdp::Result<storage::SubjectKey> make(Seat& seat) {
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
        node.anchor = sighting.token;
        node.anchor_rank = node.rank;
        node.anchor_class = node.link_class;
        const auto row = node_key(sighting.token);
        node.sealed = storage::Vault::seal(
            key, row, encode(NodeValue{sighting.identifier.value, sighting.identifier.raw}));
        const cdp::PersonId person{node.rank.bytes};
        transaction_.put(storage::KeyWriter(storage::Space::person, person).str(),
                         std::string(sighting.token.view()));
        return key;
    }

    void update(Seat& seat) {
        Node next = seat.node;
        if (seat.seen) next.seen = true;
        if (seat.twin) next.twin = seat.twin;
        next.first_seen = std::min(next.first_seen, observation_.time);
        if (next == seat.node) return;
        seat.changed = next.seen != seat.node.seen || next.twin != seat.node.twin;
        seat.node = std::move(next);
        transaction_.put(node_key(seat.sighting->token), encode(seat.node));
    }

    cdp::Result<void> join_evidence() {
        for (Pair& pair : pairs_) {
            const auto link_class = std::max(seats_[pair.a].sighting->identifier.link_class,
                                             seats_[pair.b].sighting->identifier.link_class);
            const auto seen = observation(link_class, observation_.time, observation_.source);
            pair.after = pair.before.value_or(seen);
            const bool changed = join(pair.after, seen) || !pair.before;
            if (!changed) continue;
            const auto value = encode(pair.after);
            transaction_.put(link_key(lesser(pair), greater(pair)), value);
            transaction_.put(link_key(greater(pair), lesser(pair)), value);
        }
        return cdp::Result<void>::ok();
    }

    // False when the partition is the old one with the new identifiers added to one person: what
    // most observations are. Everything that could make the fold say otherwise is ruled out.
    bool must_fold() const {
        bool any_new = false;
        const Node* person = nullptr;
        for (const Seat& seat : seats_) {
            if (!seat.seen || seat.changed) return true;
            if (seat.made) {
                any_new = true;
                continue;
            }
            if (seat.node.twin && any_new_link()) return true;
            if (person && person->anchor != seat.node.anchor && !settled()) return true;
            if (!person) person = &seat.node;
        }
        for (const Pair& pair : pairs_) {
            const bool touches_contested =
                seats_[pair.a].node.contested || seats_[pair.b].node.contested;
            if (!pair.before && !may_add(pair, person)) return true;
            if (touches_contested && (!pair.before || !same_order(*pair.before, pair.after)))
                return true;
        }
        return any_new && !may_attach(person);
    }

    // Nothing is said that was not known: identifiers of different persons seen together again.
    bool settled() const { return !any_new_link(); }
    bool any_new_link() const {
        return std::ranges::any_of(pairs_, [](const Pair& pair) { return !pair.before; });
    }

    // Whether a link of a new pair can be added without looking at other links: neither end's
    // sharing limits count the other, and both are of one person.
    bool may_add(const Pair& pair, const Node* person) const {
        const Seat& a = seats_[pair.a];
        const Seat& b = seats_[pair.b];
        if (a.node.shared || b.node.shared) return false;
        const bool limits = (!a.made && counts(*a.type, b.node.link_class)) ||
                            (!b.made && counts(*b.type, a.node.link_class));
        return !limits && person != nullptr;
    }

    // Whether the new identifiers join `person` and leave its name alone.
    bool may_attach(const Node* person) const {
        if (!person) return seats_.size() == 1;  // the first sighting of one identifier, alone
        std::size_t accounts = 0;
        std::size_t contacts = 0;
        std::size_t cookies = 0;
        for (const Seat& seat : seats_) {
            accounts += seat.node.link_class == LinkClass::account;
            contacts += is_contact(seat.node.link_class);
            cookies += seat.node.link_class == LinkClass::cookie;
        }
        return std::ranges::all_of(seats_, [&](const Seat& seat) {
            if (!seat.made) return true;
            const IdentifierType& type = *seat.type;
            return !type.unique &&
                   !better_anchor(seat.node.link_class, seat.node.rank, person->anchor_class,
                                  person->anchor_rank) &&
                   (type.shared_at_accounts == 0 || accounts < type.shared_at_accounts) &&
                   (type.contacts_max == 0 || contacts <= type.contacts_max) &&
                   (type.cookies_max == 0 || cookies <= type.cookies_max);
        });
    }

    // Writes the new nodes: members of the known one's person, or alone for the fold to place.
    void write_made(bool attach) {
        const auto known = std::ranges::find_if(seats_, [](const Seat& s) { return !s.made; });
        for (Seat& seat : seats_) {
            if (!seat.made) continue;
            if (attach && known != seats_.end()) {
                seat.node.anchor = known->node.anchor;
                seat.node.anchor_rank = known->node.anchor_rank;
                seat.node.anchor_class = known->node.anchor_class;
            }
            const auto& token = seat.sighting->token;
            transaction_.put(node_key(token), encode(seat.node));
            if (seat.node.active) transaction_.put(member_key(seat.node.anchor, token), "");
        }
    }

    const cdp::Token& lesser(const Pair& pair) const {
        return std::min(seats_[pair.a].sighting->token, seats_[pair.b].sighting->token);
    }
    const cdp::Token& greater(const Pair& pair) const {
        return std::max(seats_[pair.a].sighting->token, seats_[pair.b].sighting->token);
    }

    const storage::Vault& vault_;
    const TypeOf& type_of_;
    const storage::Snapshot& snapshot_;
    storage::Transaction& transaction_;
    const Observation& observation_;
    std::vector<Seat> seats_;
    std::vector<Pair> pairs_;
    storage::ReadSet reads_;  // its nodes and links
};

}  // namespace

Graph::Graph(const storage::Store& store, const storage::Vault& vault, const IdentifierTypes& types)
    : store_(store),
      vault_(vault),
      types_(types),
      external_{.name = "external", .link_class = LinkClass::crm},
      quiet_(std::make_unique<QuietSayings>()) {}

const IdentifierType& Graph::type_of(std::string_view name) const {
    const auto known = types_.all().find(name);
    return known == types_.all().end() ? external_ : known->second;
}

cdp::Token Graph::token(std::string_view type, std::string_view value) const {
    return vault_.token(type, value);
}

cdp::Result<Observed> Graph::observe(const storage::Snapshot& snapshot,
                                     storage::Transaction& transaction,
                                     const Observation& observation) const {
    const auto saying = saying_of(observation);
    if (saying) {
        auto quiet = CDP_TRY(observe_quiet(snapshot, transaction, observation, *saying));
        if (quiet) return std::move(*quiet);
    }
    const TypeOf types = [this](std::string_view name) -> const IdentifierType& {
        return type_of(name);
    };
    auto observed = CDP_TRY(Sitting(vault_, types, snapshot, transaction, observation).run());
    if (saying)
        observed.said->saying = *saying;
    else
        observed.said.reset();
    return observed;
}

cdp::Result<void> Graph::settle(storage::Transaction& transaction,
                                std::span<const cdp::Token> unsettled) const {
    if (unsettled.empty()) return cdp::Result<void>::ok();
    const TypeOf types = [this](std::string_view name) -> const IdentifierType& {
        return type_of(name);
    };
    return refold(transaction, types, unsettled);
}

// nullopt: it was not said before, or what it rests on has changed.
cdp::Result<std::optional<Observed>> Graph::observe_quiet(const storage::Snapshot& snapshot,
                                                          storage::Transaction& transaction,
                                                          const Observation& observation,
                                                          const Saying& saying) const {
    const auto ground = quiet_->find(saying);
    if (!ground || observation.time < ground->earliest || !store_.current(ground->reads))
        return std::optional<Observed>{};
    const auto key = CDP_TRY(vault_.find(snapshot, observation.sightings.front().token));
    if (!key) return std::optional<Observed>{};
    transaction.rely_on(ground->reads);
    return std::optional(Observed{.home_key = *key});
}

// An alias call is rare and says more than its sightings.
std::optional<Saying> Graph::saying_of(const Observation& observation) const {
    if (observation.alias) return std::nullopt;
    cdp::ByteWriter text;
    text.u32(static_cast<std::uint32_t>(cdp::day_of(observation.time))).u32(observation.source);
    for (const auto& [identifier, token] : observation.sightings)
        text.u8(static_cast<std::uint8_t>(identifier.link_class)).raw(token.view());
    return vault_.hash<Saying>("saying", text.str());
}

void Graph::committed(Observed::Said said, storage::Version version) const {
    said.ground.reads.set_version(version);
    quiet_->add(said.saying, std::move(said.ground));
}

cdp::Result<std::optional<Node>> Graph::find(storage::Transaction& transaction,
                                             const cdp::Token& token) const {
    const auto row = CDP_TRY(transaction.get(node_key(token)));
    if (!row) return std::optional<Node>{};
    auto node = decode_node(*row);
    if (!node) return damaged("a node that cannot be read");
    return node;
}

cdp::Result<std::optional<cdp::Token>> Graph::find_person(storage::Transaction& transaction,
                                                          const cdp::PersonId& person) const {
    const auto row =
        CDP_TRY(transaction.get(storage::KeyWriter(storage::Space::person, person).str()));
    if (!row) return std::optional<cdp::Token>{};
    if (row->size() != 16) return damaged("a person row that cannot be read");
    return std::optional(cdp::Token::from(*row));
}

cdp::Result<std::vector<cdp::Token>> Graph::members(storage::Transaction& transaction,
                                                    const cdp::Token& anchor) const {
    std::vector<cdp::Token> tokens;
    bool readable = true;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::member, anchor).str(),
                               [&](std::string_view key, std::string_view) {
                                   storage::KeyReader reader(key);
                                   tokens.push_back(reader.id<cdp::Token>());
                                   readable = reader.ok();
                                   return readable;
                               }));
    if (!readable) return damaged("a member row that cannot be read");
    return tokens;
}

cdp::Result<NodeValue> Graph::open(const storage::SubjectKey& key, const cdp::Token& token,
                                   const Node& node) {
    const auto plain = CDP_TRY(storage::Vault::open(key, node_key(token), node.sealed));
    auto value = decode_node_value(plain);
    if (!value) return damaged("a node value that cannot be read");
    return std::move(*value);
}

}  // namespace identity
