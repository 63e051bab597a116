#include "cdp/audit_batches.h"

#include <utility>

#include "storage/key.h"

namespace cdp {

Result<PolicyTimes> PolicyTimes::load(const PolicyVersions& policies,
                                      const storage::Snapshot& snapshot) {
    PolicyTimes out(policies, snapshot);
    out.versions_ = CDP_TRY(policies.all(snapshot));
    out.assumed_ = policies.now();
    out.assumed_.assumed = true;
    return out;
}

Result<const PolicyVersions::InForce*> PolicyTimes::at(Timestamp time) {
    for (const auto& one : versions_) {
        if (one.from > time) continue;
        const auto known = read_.find(one.version);
        if (known != read_.end()) return &known->second;
        auto policy = CDP_TRY(policies_.find(snapshot_, one.version));
        return &read_
                    .try_emplace(one.version, PolicyVersions::InForce{.policy = std::move(policy),
                                                                      .version = one.version})
                    .first->second;
    }
    return &assumed_;
}

Result<std::vector<const PolicyVersions::InForce*>> PolicyTimes::between(Timestamp since,
                                                                         Timestamp until) {
    std::vector<const PolicyVersions::InForce*> out{CDP_TRY(at(since))};
    for (const auto& one : versions_)
        if (one.from > since && one.from < until) out.push_back(CDP_TRY(at(one.from)));
    return out;
}

Result<const consent::Mask*> Masks::find(const consent::MaskId& id) {
    const auto known = read_.find(id);
    if (known != read_.end()) return &known->second;
    return &read_.try_emplace(id, CDP_TRY(disclosures_.mask(id))).first->second;
}

Result<std::uint64_t> newest_batch(const storage::Snapshot& snapshot) {
    storage::Transaction transaction(snapshot, storage::kPartition);
    return CDP_TRY(find_drain_state(transaction)).batches;
}

Result<std::optional<DisclosedBatch>> batch_head(const storage::Snapshot& snapshot,
                                                 std::uint64_t number) {
    const auto value = CDP_TRY(snapshot.get(batch_key(number)));
    if (!value) return std::optional<DisclosedBatch>();
    return std::optional(CDP_TRY(decode_batch_value(*value)));
}

}  // namespace cdp
