#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cdp/disclosures.h"
#include "cdp/policy_versions.h"

// What questions that read batches of disclosures have in common.
namespace cdp {

// The policies that were served under, each read once.
class PolicyTimes {
public:
    static Result<PolicyTimes> load(const PolicyVersions& policies,
                                    const storage::Snapshot& snapshot);

    // Valid as long as this is. Before the first it is assumed that today's was in force.
    Result<const PolicyVersions::InForce*> at(Timestamp time);
    // Every one that held at some time from `since` until before `until`.
    Result<std::vector<const PolicyVersions::InForce*>> between(Timestamp since, Timestamp until);

private:
    PolicyTimes(const PolicyVersions& policies, const storage::Snapshot& snapshot)
        : policies_(policies), snapshot_(snapshot) {}

    const PolicyVersions& policies_;
    const storage::Snapshot& snapshot_;
    std::vector<PolicyVersion> versions_;  // newest first
    std::map<consent::Sha256, PolicyVersions::InForce> read_;
    PolicyVersions::InForce assumed_;
};

// Masks by id, each read once.
class Masks {
public:
    explicit Masks(const Disclosures& disclosures) : disclosures_(disclosures) {}

    // Valid as long as this is.
    Result<const consent::Mask*> find(const consent::MaskId& id);

private:
    const Disclosures& disclosures_;
    std::map<consent::MaskId, consent::Mask> read_;
};

// How many batches there are: they are numbered from 1. What is listed and not drained is in none.
Result<std::uint64_t> newest_batch(const storage::Snapshot& snapshot);

// Without its rows; nullopt: no such batch.
Result<std::optional<DisclosedBatch>> batch_head(const storage::Snapshot& snapshot,
                                                 std::uint64_t number);

}  // namespace cdp
