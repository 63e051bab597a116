#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "consent/consents.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

// Withdrawals that recipients of somebody's data must take note of; docs/decisions/0024.
namespace cdp {

class Disclosures;
class People;
class WithdrawalWalk;
struct KeptWithdrawal;

struct WithdrawalsQuery {
    // A `position` or `next` of the same channel's feed, `latest` for what is yet to come, or
    // empty: from the start.
    std::string after = {};
    std::size_t limit = 50;    // 1 to 1000
    std::string channel = {};  // whose feed, for those who run the platform
};

// As posted: of a withdrawal that the feed told of.
struct Acknowledgement {
    std::string record = {};
    std::string person = {};
};

inline constexpr std::size_t kAcknowledgementsMax = 500;

// A withdrawal of a person's that a channel must take note of.
struct WithdrawalNotice {
    RecordId record = {};
    std::string channel = {};
    Timestamp received{};
    std::optional<Timestamp> due = {};           // absent: nothing was agreed with the channel
    std::optional<Timestamp> acknowledged = {};  // absent: not yet
};

// Safe to use from many threads. Everything it refers to must outlive it.
class Withdrawals {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const consent::Consents& consents;
        Disclosures& disclosures;
        const Config& config;
        const Clock& clock;
    };
    explicit Withdrawals(Needs needs) : needs_(needs) {}

    // {"withdrawals":[{"position":P,"kind":"withdrawal"|"erasure","record":ID,"person":ID,
    // "purposes":[…],"time":T,"received":T,"due":T|null,"acknowledged":BOOL}],"next":P,"end":BOOL}:
    // what concerns a channel, in the order in which it was stored; of an erasure also "scope", and
    // the record is the request's id. Positions are sealed, for that channel; listed as a
    // disclosure, or as an access. Waits for the disk. Errors: channel_required, channel_unknown,
    // malformed_cursor, position_unknown.
    Result<std::string> feed(const Reader& reader, const WithdrawalsQuery& query) const;

    // Takes down that a channel took note of all of these, and how many were not known yet: once,
    // with an entry in the ledger each, on disk when it returns. Nothing is taken down when one is
    // refused: withdrawal_unknown (not_found), which is none that concerns the channel.
    Result<std::size_t> acknowledge(const Principal& channel,
                                    std::span<const Acknowledgement> all) const;

    // {"withdrawals":[…],"next":CURSOR|null}, oldest first, of every channel that is concerned, or
    // one: what it was told and when, the deadline and whether it took note. `status`: open,
    // acknowledged; empty: both. channel_unknown: neither registered nor ever told anything.
    Result<Shown> page(const PageQuery& query, std::string_view status,
                       const std::string& channel) const;

    // What channels had to take note of for the person of an identifier, oldest first.
    Result<std::vector<WithdrawalNotice>> of_person(const Token& member) const;

    // Before identifiers are erased: what channels have not taken note of yet, of withdrawals that
    // name any of these, goes on being told by the person's id alone. In the caller's commit.
    Result<void> keep_open(storage::Transaction& transaction, std::span<const Token> erased) const;

private:
    // What is to be taken down, unless it was at that time or later.
    struct Acknowledging {
        RecordId record = {};
        std::vector<Token> tokens = {};
        Timestamp since{};
    };
    Result<void> write(const Principal& channel, std::span<const Acknowledging> taken,
                       std::size_t& made) const;
    // nullopt: that record does not concern the channel for that person.
    Result<std::optional<Acknowledging>> find(WithdrawalWalk& walk, const std::string& channel,
                                              const RecordId& record,
                                              const std::string& person) const;
    // That the feed has told of these.
    Result<void> note_heard(std::span<const KeptWithdrawal> kept) const;
    // Registered, or it was once and has what it was told.
    Result<bool> is_channel(const std::string& id) const;

    Needs needs_;
};

}  // namespace cdp
