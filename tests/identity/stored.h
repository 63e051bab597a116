#pragma once

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "cdp/base/clock.h"
#include "identity/assertion.h"
#include "identity/change.h"
#include "identity/graph.h"
#include "identity/upkeep.h"
#include "storage/key.h"
#include "storage/memory_store.h"
#include "tests/identity/world.h"

namespace tests {

using identity::Observation;

// The graph on a store of its own.
class Stored {
public:
    explicit Stored(const IdentityWorld& world)
        : store_(storage::make_memory_store()),
          graph_(*store_, world.vault(), world.types(), world.bounds()),
          assertions_(world.vault()),
          upkeep_(*store_, world.vault(), graph_, world.types(), clock_) {}

    storage::Store& store() { return *store_; }
    const identity::Graph& graph() const { return graph_; }
    const identity::Upkeep& upkeep() const { return upkeep_; }
    cdp::Timestamp now() const { return clock_.now(); }

    // The error's reason; empty when it stands.
    std::string say(identity::Assertion assertion) {
        assertion.said.time = clock_.tick();
        assertion.id = identity::new_assertion_id(
            assertion.said.time, storage::KeyWriter(storage::Space::meta, cdp::Token{})
                                     .number(++serial_)
                                     .str()
                                     .substr(storage::kGroupBytes));
        const auto done = change([&](storage::Transaction& transaction) -> cdp::Result<void> {
            assertion.id = CDP_TRY(assertions_.add(transaction, assertion));
            identity::Upkeep::owe(transaction, assertion.id);
            return cdp::Result<void>::ok();
        });
        if (!done.empty()) return done;
        last_ = assertion.id;
        REQUIRE(upkeep_.settle(assertion.id));
        return "";
    }
    // The one that the last `say` made or found.
    identity::AssertionId last() const { return last_; }

    std::string revoke(const identity::AssertionId& id) {
        clock_.tick();
        const auto done = change([&](storage::Transaction& transaction) -> cdp::Result<void> {
            CDP_TRY(assertions_.revoke(transaction, id, {"somebody", "a mistake", clock_.now()}));
            identity::Upkeep::owe(transaction, id);
            return cdp::Result<void>::ok();
        });
        if (done.empty()) REQUIRE(upkeep_.settle(id));
        return done;
    }

    // Whether it needed the fold.
    bool observe(const Observation& observation) { return observe_together({&observation, 1}); }

    bool observe_together(std::span<const Observation> observations) {
        const auto snapshot = store_->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        std::vector<cdp::Token> unsettled;
        std::vector<identity::Observed::Said> said;
        for (const auto& observation : observations) {
            auto observed = graph_.observe(*snapshot, transaction, observation);
            REQUIRE(observed);
            unsettled.insert(unsettled.end(), observed->unsettled.begin(),
                             observed->unsettled.end());
            if (observed->said) said.push_back(std::move(*observed->said));
        }
        REQUIRE(graph_.settle(transaction, unsettled, clock_.tick()));
        const auto outcome = storage::commit_and_wait(*store_, std::move(transaction));
        REQUIRE(outcome.state == storage::CommitState::ok);
        for (auto& one : said) graph_.committed(std::move(one), outcome.version);
        return !unsettled.empty();
    }

    std::map<cdp::Token, identity::Node> nodes() const {
        std::map<cdp::Token, identity::Node> out;
        each(storage::Space::node, [&](std::string_view key, std::string_view value) {
            const auto node = identity::decode_node(value);
            REQUIRE(node);
            out.emplace(cdp::Token::from(key.substr(3, 16)), *node);
        });
        return out;
    }

    Places places() const {
        Places out;
        for (const auto& [token, node] : nodes())
            out[token] = {node.anchor, node.shared, node.active, node.blocked, node.level};
        return out;
    }

    std::set<std::pair<cdp::Token, cdp::Token>> members() const {
        std::set<std::pair<cdp::Token, cdp::Token>> out;
        each(storage::Space::member, [&](std::string_view key, std::string_view) {
            out.emplace(cdp::Token::from(key.substr(3, 16)), cdp::Token::from(key.substr(19, 16)));
        });
        return out;
    }

    std::map<std::string, std::string> evidence() const {
        std::map<std::string, std::string> out;
        each(storage::Space::link,
             [&](std::string_view key, std::string_view value) { out.emplace(key, value); });
        return out;
    }

    std::vector<identity::Change> changes() const {
        std::vector<identity::Change> out;
        const auto snapshot = store_->snapshot();
        REQUIRE(snapshot->scan(identity::change_log(), "", [&](auto, std::string_view value) {
            const auto change = identity::decode_change(value);
            REQUIRE(change);
            out.push_back(*change);
            return true;
        }));
        return out;
    }

private:
    // Every moment is another one.
    class Ticking final : public cdp::Clock {
    public:
        cdp::Timestamp now() const override { return now_; }
        cdp::Timestamp tick() { return now_ += std::chrono::milliseconds{10}; }

    private:
        cdp::Timestamp now_ = cdp::timestamp_of(1'000);
    };

    std::string change(const auto& work) {
        const auto snapshot = store_->snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        const cdp::Result<void> worked = work(transaction);
        if (!worked) return worked.error().reason;
        REQUIRE(storage::commit_and_wait(*store_, std::move(transaction)).state ==
                storage::CommitState::ok);
        return "";
    }

    void each(storage::Space space, const auto& visit) const {
        const auto snapshot = store_->snapshot();
        const std::string prefix{0, 0, static_cast<char>(space)};
        REQUIRE(snapshot->scan(prefix, "", [&](std::string_view key, std::string_view value) {
            visit(key, value);
            return true;
        }));
    }

    std::unique_ptr<storage::Store> store_;
    Ticking clock_;
    identity::Graph graph_;
    identity::Assertions assertions_;
    identity::Upkeep upkeep_;
    std::uint64_t serial_ = 0;
    identity::AssertionId last_{};
};

inline std::set<std::pair<cdp::Token, cdp::Token>> members_of(const Places& places) {
    std::set<std::pair<cdp::Token, cdp::Token>> out;
    for (const auto& [token, place] : places)
        if (place.active) out.emplace(place.anchor, token);
    return out;
}

}  // namespace tests
