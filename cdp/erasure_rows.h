#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/config.h"
#include "cdp/erasure_homes.h"
#include "cdp/erasure_links.h"
#include "cdp/event_days.h"
#include "cdp/event_links.h"
#include "cdp/facts.h"
#include "cdp/groups.h"
#include "cdp/people.h"
#include "identity/assertion.h"
#include "identity/graph.h"
#include "storage/space.h"
#include "storage/vault.h"

// The rows that go with somebody; private to cdp/erasure*.cc. docs/decisions/0026.
namespace cdp {

// What an erasure takes away.
struct ErasedCounts {
    std::uint64_t identifiers = 0;
    std::uint64_t events = 0;
    std::uint64_t traits = 0;
    std::uint64_t consents = 0;     // records and cells, once under each identifier
    std::uint64_t links = 0;        // pairs, by class, source and block of days
    std::uint64_t groups = 0;       // memberships
    std::uint64_t disclosures = 0;  // rows by subject
    std::uint64_t signals = 0;      // texts of consent signals

    ErasedCounts& operator+=(const ErasedCounts& other);
    friend bool operator==(const ErasedCounts&, const ErasedCounts&) = default;
};

// Takes rows away in one transaction, and counts them.
class ErasureRows {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Groups& groups;
        const Corrections& corrections;
        const Config& config;
    };
    // Of an erasure that takes `tokens`, each of them at its end at the latest.
    ErasureRows(const Needs& needs, People::Reading reading, std::span<const Token> tokens);
    ErasureRows(const ErasureRows&) = delete;
    ErasureRows& operator=(const ErasureRows&) = delete;

    // An event with its pointers and its dedupe row, which says from then on that it was erased
    // when its home stays. One that cannot be opened any more leaves its pointers; they lead
    // nowhere.
    Result<void> erase_event(const Token& home, Timestamp time, const EventId& id,
                             std::string_view sealed);
    // Those filed under an identifier, newest first, at most so many; true: these were all.
    Result<bool> erase_events_of(const Token& home, std::size_t most);
    // Counts what would be erased so, and remembers what it said; nothing is written.
    Result<void> tell_event(const Token& home, Timestamp time, const EventId& id,
                            std::string_view sealed);
    Result<void> tell_events_of(const Token& home);

    // Everything else that is filed under these identifiers or speaks of them.
    Result<void> erase_identifiers(std::span<const Token> tokens, const identity::Said& said);

    // Last, once: what all this said of others is taken back, so that they are what a fold of what
    // is left makes of them; whom nothing that is left names goes too. Whoever may be somebody else
    // for that is in `around()`; what had shared an identifier with those who go goes on doing so,
    // by an assertion.
    Result<void> take_back(const identity::Said& said);

    const std::set<Token>& around() const { return around_; }
    // Whose keys go with the commit: the vault is to forget them before it.
    std::vector<Token> keyless() const;
    const ErasedCounts& counts() const { return counts_; }
    // Where in the ledger the entries of the consents are that were taken away; sorted.
    std::vector<std::uint64_t> entries() const;

private:
    using Row = std::function<Result<void>(std::string_view key, std::string_view value)>;
    Result<void> each(const std::string& prefix, const Row& visit) const;
    Result<void> erase_all(storage::Space space, const Token& token, std::uint64_t* count);

    Result<void> revoke_assertions(const Token& token, const identity::Said& said);
    Result<void> erase_links(const Token& token);
    Result<void> keep_shared(const identity::Said& said);
    Result<std::optional<Event>> remember(const Token& home, Timestamp time, const EventId& id,
                                          std::string_view sealed);
    Result<void> erase_consents(const Token& token);
    Result<void> erase_acknowledgements(const RecordId& record, const Token& token);
    Result<void> erase_disclosures(const Token& token);
    Result<void> blank_batches();
    Result<void> erase_memberships(const Token& token);
    Result<void> erase_history(const Token& token);
    Result<void> erase_requests(const Token& token, Timestamp now);
    Result<void> erase_node(const Token& token);
    Result<void> leave_twin(const Token& token);
    void count_link(const Token& a, const Token& b, const identity::LinkDays& row);
    bool taken(const Token& token) const { return gone_.tokens.contains(token); }

    Needs needs_;
    People::Reading reading_;
    EventLinks event_links_;
    Gone gone_;
    ErasureLinks links_;
    ErasureHomes homes_;
    std::set<Token> around_ = {};
    std::set<Token> keyless_ = {};
    std::set<std::uint64_t> entries_ = {};
    std::set<std::string> counted_ = {};                          // links
    std::map<std::uint64_t, std::set<std::uint32_t>> told_ = {};  // rows of batches
    ErasedCounts counts_ = {};
};

}  // namespace cdp
