#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cdp/disclosure_rows.h"
#include "cdp/people.h"
#include "cdp/withdrawal_reach.h"
#include "cdp/withdrawal_rows.h"
#include "cdp/withdrawals.h"
#include "consent/withdrawal.h"

// Reads the log of withdrawals for those whom they concern; private to cdp/withdrawal*.cc and
// cdp/audit_withdrawals.cc.
namespace cdp {

// A person, as far as withdrawals go.
struct Withdrawing {
    PersonId id{};
    std::vector<Token> members = {};   // sorted
    std::vector<Denial> denials = {};  // in the order of denials
    std::vector<Told> told = {};
    // When a channel was first told of a withdrawal by its feed.
    std::map<std::pair<std::string, RecordId>, Timestamp> heard = {};

    bool has(const Token& token) const;
};

// A withdrawal that a channel must take note of.
struct Concern {
    std::uint64_t position = 0;  // in the log, from 1
    Denial denial = {};
    std::shared_ptr<const Withdrawing> person = {};
    std::string channel = {};
    std::vector<std::string> purposes = {};  // that it was told under; sorted
    std::set<std::string> fields = {};       // that it was told of
    Timestamp told_last{};
    std::optional<Acknowledged> acknowledged = {};
    std::optional<KeptWithdrawal> kept = {};  // it is told of who was erased

    std::optional<Timestamp> heard() const;
};

// By when it is to be acted on; nullopt: nothing was agreed.
std::optional<Timestamp> due(const consent::Policy& policy, const Concern& concern);

// What a field is called among those that were told.
std::string told_name(const consent::MaskField& field);

// Whether a channel was ever told anything of anybody.
Result<bool> was_told(Disclosures& disclosures, std::string_view channel);

class WithdrawalWalk {
public:
    explicit WithdrawalWalk(const Withdrawals::Needs& needs);

    const storage::Snapshot& snapshot() const { return *snapshot_; }
    People::Reading reading() { return {*snapshot_, transaction_}; }
    Result<std::uint64_t> size() const;

    // From the position behind `after` on, until `visit` returns false. `visit` is given every
    // withdrawal that can still be read with whom it concerns, once for each person and channel,
    // sorted by their ids; with a channel, that one alone.
    using Visit = std::function<bool(std::uint64_t position, Timestamp received,
                                     const std::vector<Concern>& concerns)>;
    Result<void> run(std::uint64_t after, const std::string& channel, const Visit& visit);

    // nullptr: nobody has the identifier.
    Result<std::shared_ptr<const Withdrawing>> person_of(const Token& token);
    // Lets the persons go that were read: there may be thousands of rows to each.
    void forget();
    // Of one of a person's denials; empty `channel`: all.
    Result<std::vector<Concern>> concerns(const std::shared_ptr<const Withdrawing>& person,
                                          const Denial& denial, const std::string& channel);

    // Those of who was erased; empty `channel`: all.
    Result<std::vector<Concern>> kept(const RecordId& record, const std::string& channel);

    // Rows read, of the log and of disclosures.
    std::size_t looked_at() const { return looked_at_; }

private:
    Result<std::vector<Concern>> concerns_of(const consent::Withdrawal& withdrawal,
                                             const std::string& channel);
    Result<void> load_denials(Withdrawing& person);
    Result<void> load_told(Withdrawing& person);
    Result<void> add_unread(std::vector<Told>& told, Timestamp until);
    void take(Withdrawing& person, const Token& member, const Disclosed& row);

    const Withdrawals::Needs& needs_;
    const std::unique_ptr<storage::Snapshot> snapshot_;
    storage::Transaction transaction_;
    std::map<Token, std::shared_ptr<const Withdrawing>> persons_;  // by member
    std::map<consent::MaskId, std::shared_ptr<const ToldFields>> fields_;
    std::size_t looked_at_ = 0;
};

}  // namespace cdp
