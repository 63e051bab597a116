#include "identity/graph.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "identity/damage.h"
#include "identity/sitting.h"
#include "storage/key.h"

namespace identity {
namespace {

bool any_limited(const IdentifierTypes& types) {
    return std::ranges::any_of(types.all(), [](const auto& entry) {
        return entry.second.limit > 0 && entry.second.limit_window_days > 0;
    });
}

}  // namespace

Graph::Graph(const storage::Store& store, const storage::Vault& vault, const IdentifierTypes& types,
             const Bounds& bounds)
    : store_(store),
      vault_(vault),
      type_of_(
          [&types](std::string_view name) -> const IdentifierType& { return types.known(name); }),
      bounds_(bounds),
      limited_(any_limited(types)),
      quiet_(std::make_unique<QuietSayings>()) {}

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
    const auto now = CDP_TRY(rules(transaction));
    auto observed =
        CDP_TRY(Sitting(vault_, now, limited_, snapshot, transaction, observation).run());
    if (saying)
        observed.said->saying = *saying;
    else
        observed.said.reset();
    return observed;
}

cdp::Result<Rules> Graph::rules(storage::Transaction& transaction) const {
    std::shared_ptr<const Retractions> known;
    {
        const std::lock_guard lock(mutex_);
        known = retractions_;
    }
    if (known && store_.current(known->reads)) {
        transaction.rely_on(known->reads);
        return Rules{type_of_, known->ranges, bounds_};
    }
    // An old read set says no too late, never yes too early.
    const auto snapshot = store_.snapshot();
    storage::Transaction reading(*snapshot, transaction.partition());
    auto fresh = std::make_shared<Retractions>();
    fresh->ranges = CDP_TRY(Assertions::retractions(reading));
    fresh->reads = reading.reads();
    auto ranges = CDP_TRY(Assertions::retractions(transaction));
    const std::lock_guard lock(mutex_);
    retractions_ = std::move(fresh);
    return Rules{type_of_, std::move(ranges), bounds_};
}

cdp::Result<void> Graph::settle(storage::Transaction& transaction,
                                std::span<const cdp::Token> unsettled, cdp::Timestamp now) const {
    if (unsettled.empty()) return cdp::Result<void>::ok();
    const auto in_force = CDP_TRY(rules(transaction));
    return refold(transaction, in_force, unsettled, {Cause::What::evidence, now});
}

cdp::Result<std::vector<cdp::Token>> Graph::settle_afresh(storage::Transaction& transaction,
                                                          std::span<const cdp::Token> start,
                                                          const Cause& cause) const {
    const auto in_force = CDP_TRY(rules(transaction));
    return refold_afresh(transaction, in_force, start, cause);
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
    if (observation.alias || observation.retracted) return std::nullopt;
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
