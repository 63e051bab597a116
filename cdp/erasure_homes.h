#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cdp/corrections.h"
#include "cdp/event_days.h"
#include "cdp/groups.h"
#include "cdp/people.h"

// What events that go taught identifiers and companies that stay, taken back; private to
// cdp/erasure*.cc. docs/decisions/0026.
namespace cdp {

// For one transaction. Traits, memberships and companies are told again by the events that are
// left: of an identifier those filed under it, of a company those of all its members.
class ErasureHomes {
public:
    struct Needs {
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Groups& groups;
        const Corrections& corrections;
        const Config& config;
    };
    struct Counts {
        std::uint64_t traits = 0;
        std::uint64_t groups = 0;  // memberships
    };
    // `gone` must outlive it.
    ErasureHomes(const Needs& needs, People::Reading reading, const Gone& gone)
        : needs_(needs), reading_(reading), gone_(gone) {}

    // An event that goes, filed under `home`.
    void add(const Token& home, const std::string& source, const Event& event);
    // Once, after whoever goes is entered in `gone`. What is told no more.
    Result<Counts> tell_again();
    // The subjects of companies whose keys go.
    const std::vector<Token>& keyless() const { return keyless_; }

private:
    using Tell = std::function<Result<void>(const StoredEvent&, const Event&)>;
    // A trait that an event that goes said of a company.
    struct SaidTrait {
        Trait trait;
        Timestamp time{};
        std::string source;
    };

    Result<void> tell_home(const Token& home, Counts& counts);
    Result<void> tell_group(const GroupId& group, const std::vector<SaidTrait>& said);
    Result<bool> is_kept_fact(const storage::SubjectKey& key, const std::string& row) const;
    Result<bool> won(const GroupId& group, const std::vector<SaidTrait>& said) const;
    Result<void> each_event(const Token& home, const Tell& tell) const;
    Result<std::vector<std::string>> keys_under(const std::string& prefix) const;

    Needs needs_;
    People::Reading reading_;
    const Gone& gone_;
    std::set<Token> homes_ = {};
    std::vector<Token> keyless_ = {};
    std::map<GroupId, std::vector<SaidTrait>> groups_ = {};
};

}  // namespace cdp
