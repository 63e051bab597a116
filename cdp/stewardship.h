#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/assertion_request.h"
#include "cdp/base/clock.h"
#include "cdp/event_links.h"
#include "cdp/quarantines.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "identity/upkeep.h"
#include "storage/store.h"

namespace cdp {

// Of the list of assertions.
struct AssertionsQuery {
    PageQuery page = {};
    std::string kind = {};    // empty: all
    std::string status = {};  // standing, revoked; empty: both
};

// Assertions and revocations that wait for their turn, the one whose turn it is among them.
inline constexpr std::size_t kWaitingMax = 64;

// What people say about who is who: taken, listed, revoked. Taking and revoking return when the
// consequences are on disk and visible; they wait for the disk, and for each other. Safe to use
// from many threads; everything it refers to must outlive it.
class Stewardship {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Config& config;
        const Clock& clock;
        const Quarantines& quarantines;
    };
    explicit Stewardship(Needs needs);

    // A place among those that wait, given back when it is destroyed. Whoever leaves `say` or
    // `revoke` for later takes one before and holds it until they have returned. busy: kWaitingMax
    // are taken.
    using Place = std::shared_ptr<const void>;
    Result<Place> line_up() const;

    struct Answer {
        // The assertion, with the changes of persons that it caused and with warnings:
        // contradicts_standing names what identity::contradicted_by finds.
        std::string json;
        bool made = true;  // false: the same stood already
    };
    // Both draw first what an earlier call wrote and could not draw. contended: nothing was
    // written; not_drawn_yet: it stands, and its consequences are drawn by the next call of either.

    // Refusals: those of read_assertion and identity::Assertions; retracts_nothing;
    // range_not_whole_days; idempotency_key_reused.
    Result<Answer> say(const AssertionRequest& request) const;
    // assertion_unknown, already_revoked, reason_required, malformed_reason. One whose revocation
    // was written and not drawn is drawn, and answered as revoked.
    Result<std::string> revoke(std::string_view id, const std::string& author,
                               const std::string& reason) const;

    // {"assertions":[…],"next":CURSOR|null}, newest first.
    Result<Shown> page(const AssertionsQuery& query) const;
    Result<Shown> read(std::string_view id) const;

    // See identity::Upkeep::catch_up. Before anything else is asked of the platform.
    Result<identity::Progress> catch_up(const identity::Report& report) const;
    // Draws the consequences that an interrupted process left, whatever rules it had: refused
    // (rules_differ) when there are any and these are not the rules.
    Result<void> finish_interrupted() const;

private:
    // What a retraction takes one by one.
    using Taken = std::vector<FiledEvent>;
    struct Parts {
        Taken taken = {};      // in the days that the range cuts in two
        bool any_day = false;  // whether it takes anything of a whole day
    };
    struct Written {
        identity::AssertionId id;
        bool made = true;
        std::uint64_t log = 0;  // of changes, before this
    };
    struct Earlier;

    Result<std::optional<Written>> find_earlier(storage::Transaction& transaction,
                                                const AssertionRequest& request) const;
    Result<Taken> find_taken(const AskedAssertion& asked) const;
    Result<Taken> find_named(const storage::Snapshot& snapshot,
                             const std::vector<identity::Assertion::Event>& events) const;
    Result<Parts> find_parts(const storage::Snapshot& snapshot, const AskedAssertion& asked) const;
    Result<void> take_more(const identity::AssertionId& id, const AskedAssertion& asked,
                           const Taken& taken) const;
    Result<std::optional<Written>> write(const AssertionRequest& request,
                                         const AskedAssertion& asked, const Taken& taken) const;
    Result<std::optional<identity::AssertionId>> find_covering(
        storage::Transaction& transaction, const identity::Assertion& assertion) const;
    Result<std::optional<Written>> write_revoked(const identity::AssertionId& id,
                                                 const identity::Said& said) const;
    Result<void> draw(const identity::AssertionId& id) const;
    // Those that were owed; contended when others keep coming first.
    Result<std::vector<identity::AssertionId>> draw_owed() const;
    Result<void> follow_events(const identity::AssertionId& id, const Taken& owed) const;
    Result<std::string> warnings(const identity::AssertionId& id) const;
    Result<std::string> render(const identity::AssertionId& id,
                               std::optional<std::uint64_t> log) const;

    Needs needs_;
    EventLinks links_;
    identity::Assertions assertions_;
    identity::Upkeep upkeep_;
    mutable std::atomic<std::size_t> waiting_ = 0;  // places taken
    mutable std::mutex turn_;  // held while something is asserted or revoked and drawn
};

}  // namespace cdp
