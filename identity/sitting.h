#pragma once

#include <optional>
#include <vector>

#include "cdp/base/result.h"
#include "identity/component.h"
#include "identity/links.h"
#include "identity/observation.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

namespace identity {

// One observation being worked in: what it says is joined into the stored evidence, and unless that
// could change who is who, the new identifiers are placed at once.
class Sitting {
public:
    // `limited`: some type's values are limited within windows of time, so that every day counts.
    Sitting(const storage::Vault& vault, const Rules& rules, bool limited,
            const storage::Snapshot& snapshot, storage::Transaction& transaction,
            const Observation& observation)
        : vault_(vault),
          rules_(rules),
          limited_(limited),
          snapshot_(snapshot),
          transaction_(transaction),
          observation_(observation) {}

    // Once.
    cdp::Result<Observed> run();

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
        LinkDays row = {};       // the day's, then with the days known before
        bool fresh_row = false;  // no day of its block was known and counted
        bool changed = false;    // this day was not known
    };

    void gather();
    std::size_t add(const Sighting& sighting, bool seen, std::optional<cdp::Token> twin);
    cdp::Result<void> load();
    bool any_counts(const LinkDays& row) const;
    cdp::Result<storage::SubjectKey> meet_all();
    cdp::Result<storage::SubjectKey> make(Seat& seat);
    cdp::Result<void> link_hashes(const Seat& seat);
    void link_equal(const cdp::Token& a, const cdp::Token& b);
    void update(Seat& seat);
    void write_links();

    cdp::Result<bool> must_fold();
    bool anything_new() const;
    bool retracted() const;
    bool seats_demand_fold(const Node*& person) const;
    bool pairs_demand_fold(const Node* person) const;
    bool may_add(const Pair& pair) const;
    bool may_attach(const Node* person) const;
    bool attaches(std::size_t seat, const Node& person) const;
    bool is_cut(const Pair& pair) const;
    static bool count_nothing(const Seat& a, const Seat& b);
    cdp::Result<bool> fits(const Node& person);
    cdp::Result<void> place_made();
    void write_unplaced();
    LinkClass alone_level(std::size_t seat) const;

    const cdp::Token& token(std::size_t seat) const { return seats_[seat].sighting->token; }

    const storage::Vault& vault_;
    const Rules& rules_;
    const bool limited_;
    const storage::Snapshot& snapshot_;
    storage::Transaction& transaction_;
    const Observation& observation_;
    std::vector<Seat> seats_;
    std::vector<Pair> pairs_;
    storage::ReadSet reads_;         // its nodes and links
    std::vector<cdp::Token> equal_;  // identifiers that turned out to be hashes of each other
    std::optional<Node> anchor_;     // of the one person, grown by what is attached
};

}  // namespace identity
