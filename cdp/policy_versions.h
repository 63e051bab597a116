#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/policy_bytes.h"
#include "storage/store.h"
#include "storage/vault.h"

// Every policy that was served under, so that what was decided then can be decided again.
namespace cdp {

// One policy and from when on it held; until the next one's `from`.
struct PolicyVersion {
    consent::Sha256 version{};
    Timestamp from{};

    friend bool operator==(const PolicyVersion&, const PolicyVersion&) = default;
};

// What the ledger's entry of each commits to, newest first; nullopt: the row cannot be read. False
// stops.
Result<void> each_policy_commitment(
    const storage::Snapshot& snapshot,
    const std::function<bool(Timestamp from, const std::optional<consent::Sha256>&)>& visit);

// Safe to use from many threads. Everything it refers to must outlive it.
class PolicyVersions {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const Config& config;
        const Clock& clock;
    };
    explicit PolicyVersions(Needs needs);

    // That of the configuration.
    const consent::Sha256& current() const { return current_; }

    // Notes, and tells the ledger, that the configured policy is served under from now on; nothing
    // when it was so already. Before anything is served; waits for the disk.
    Result<void> adopt() const;

    // Newest first.
    Result<std::vector<PolicyVersion>> all(const storage::Snapshot& snapshot) const;

    struct InForce {
        std::shared_ptr<const consent::Policy> policy;
        consent::Sha256 version{};
        bool assumed = false;  // nothing is known of that time: it is today's
    };
    InForce now() const;
    Result<InForce> at(const storage::Snapshot& snapshot, Timestamp time) const;
    // not_found (policy_unknown): it was never served under here.
    Result<std::shared_ptr<const consent::Policy>> find(const storage::Snapshot& snapshot,
                                                        const consent::Sha256& version) const;

private:
    Needs needs_;
    std::shared_ptr<const consent::Policy> policy_;
    consent::Sha256 current_;
};

}  // namespace cdp
