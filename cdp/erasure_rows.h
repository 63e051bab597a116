#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/config.h"
#include "cdp/facts.h"
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
        const Config& config;
    };
    ErasureRows(Needs needs, People::Reading reading) : needs_(needs), reading_(reading) {}

    // An event with its pointers and its dedupe row. One that cannot be opened any more leaves its
    // pointers; they lead nowhere.
    Result<void> erase_event(const Token& home, Timestamp time, const EventId& id,
                             std::string_view sealed);
    // Those filed under an identifier, newest first, at most so many; true: these were all.
    Result<bool> erase_events_of(const Token& home, std::size_t most);

    // The traits of identifiers that stay and lost events, as the events that are left say them.
    Result<void> fold_traits_again();

    // Everything else that is filed under these identifiers or speaks of them. Whoever is left and
    // was linked to them or named beside them is in `around()`; what had shared an identifier with
    // them goes on doing so, by an assertion.
    Result<void> erase_identifiers(std::span<const Token> tokens, const identity::Said& said);

    const std::set<Token>& around() const { return around_; }
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
    Result<void> erase_consents(const Token& token);
    Result<void> erase_acknowledgements(const RecordId& record, const Token& token);
    Result<void> erase_disclosures(const Token& token);
    Result<void> blank_batches();
    Result<void> erase_memberships(const Token& token);
    Result<void> erase_history(const Token& token);
    Result<void> erase_node(const Token& token);
    bool taken(const Token& token) const { return taken_.contains(token); }

    Needs needs_;
    People::Reading reading_;
    std::set<Token> taken_ = {};
    std::set<Token> around_ = {};
    std::set<std::uint64_t> entries_ = {};
    std::set<Token> homes_ = {};                                  // of events that were taken away
    std::set<std::string> events_ = {};                           // their keys
    std::map<std::uint64_t, std::set<std::uint32_t>> told_ = {};  // rows of batches
    ErasedCounts counts_ = {};
};

}  // namespace cdp
