#pragma once

#include <unordered_map>

#include "cdp/corrections.h"
#include "cdp/groups.h"
#include "cdp/people.h"
#include "cdp/rebuild.h"
#include "cdp/rebuild_rows.h"
#include "consent/consents.h"
#include "identity/graph.h"

namespace cdp {

// Tells an empty store every fact of another one, through the code that took the facts in, and
// folds them there; private to cdp/rebuild*.cc.
class Retelling {
public:
    // The snapshot is of `needs.store`. Adds up in `out`.
    Retelling(const Rebuild::Needs& needs, const storage::Snapshot& facts,
              const RebuildReport& report, Rebuilt& out);

    // Once.
    Result<void> run();
    // Whose events they were.
    // Of what events were told under both, the lesser trust.
    const std::map<std::string, Trust>& sources() const { return sources_; }

private:
    struct EventRow {
        EventId id;
        Token home;
        Timestamp time;
        StoredEvent stored;
    };

    Result<void> copy(storage::Space space);
    Result<void> learn_erased();
    void leave_out_erased(identity::Observation& seen) const;
    Result<void> tell_corrections();
    Result<void> tell_kept_traits();
    Result<void> tell_traits_in(storage::Space space);
    Result<void> tell_events();
    Result<EventRow> open_event(std::string_view key, std::string_view sealed);
    Result<void> tell(const EventRow& row);
    Result<void> tell_consents();
    Result<void> mark_asserted();
    Result<void> fold();

    Result<identity::Observed> observe(const identity::Observation& observation);
    Result<identity::Sighting> known(const Token& token);
    Result<void> step(std::string_view stage, std::uint64_t rows);
    Result<void> flush();

    const Rebuild::Needs& needs_;
    const storage::Snapshot& facts_;
    const RebuildReport& report_;
    Rebuilt& out_;

    const identity::Graph graph_;
    const consent::Consents consents_;
    const SuppressedTokens suppressed_;
    const People people_;
    const Groups groups_;
    const Corrections corrections_;
    BatchWriter writer_;
    std::vector<identity::Observed::Said> said_;  // in the transaction at hand

    std::map<std::string, Trust> sources_;
    std::unordered_map<Token, Timestamp> erased_;  // up to when they are not told of
    Token key_of_{};
    std::optional<storage::SubjectKey> key_;  // of the home at hand
};

}  // namespace cdp
