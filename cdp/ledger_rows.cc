#include "cdp/ledger_rows.h"

#include <string>

#include "cdp/agents.h"
#include "cdp/base/bytes.h"
#include "cdp/disclosure_rows.h"
#include "cdp/ended_epochs.h"
#include "cdp/notices.h"
#include "cdp/policy_versions.h"
#include "cdp/privacy_request_rows.h"
#include "cdp/quarantines.h"
#include "cdp/rectifications.h"
#include "cdp/retention_runs.h"
#include "cdp/suppression_rows.h"
#include "cdp/withdrawal_rows.h"
#include "consent/entry.h"

namespace cdp {
namespace {

using consent::Committed;
using Visit = std::function<bool(const Committed&)>;

constexpr int kChecksMore = 3;

// Erasure takes rows, and the keys of rows, and nothing of the ledger's own.
bool may_be_erased(const std::optional<consent::LedgerFault>& fault) {
    return fault && fault->what != "entry" && fault->what != "tile" && fault->what != "checkpoint";
}

Result<void> notices(const storage::Snapshot& snapshot, const Visit& visit) {
    return each_notice(snapshot, [&](const Result<NoticeVersion>& notice) {
        if (!notice) return visit({.what = "notice"});
        return visit({.what = "notice",
                      .id = notice->id + "/" + notice->version + "/" + notice->language,
                      .commitment = notice->commitment()});
    });
}

Result<void> policies(const storage::Snapshot& snapshot, const Visit& visit) {
    return each_policy_commitment(snapshot, [&](Timestamp from, const auto& commitment) {
        return visit({.what = "policy", .id = format_time(from), .commitment = commitment});
    });
}

Result<void> acknowledgements(const storage::Snapshot& snapshot, const Visit& visit) {
    return each_acknowledged(
        snapshot, [&](const RecordId& record, const Result<Acknowledged>& one) {
            Committed committed{.what = "acknowledgement", .id = to_hex(record.view())};
            if (one) committed.commitment = one->commitment(record);
            return visit(committed);
        });
}

Result<void> batches(const storage::Snapshot& snapshot, const Visit& visit) {
    return each_batch(snapshot, [&](std::uint64_t number, const Result<DisclosedBatch>& one) {
        Committed committed{.what = "disclosures", .id = std::to_string(number)};
        if (one)
            committed.commitment = consent::commitment(consent::entry_type(one->batch.kind),
                                                       one->salt, encode(one->batch));
        return visit(committed);
    });
}

Result<void> epochs(const storage::Snapshot& snapshot, const Visit& visit) {
    return each_ended_epoch(snapshot, [&](const Result<EndedEpoch>& one) {
        Committed committed{.what = "epoch"};
        if (one) {
            committed.id = std::to_string(one->to);
            committed.commitment = one->commitment();
        }
        return visit(committed);
    });
}

Result<void> prunings(const storage::Snapshot& snapshot, const Visit& visit) {
    return each_run(snapshot, {}, [&](const Result<RetentionRun>& one) {
        // While it runs it has no entry.
        if (one && one->state == RetentionRun::State::running) return true;
        Committed committed{.what = "pruning"};
        if (one) {
            committed.id = format_time(one->begun);
            committed.commitment = one->commitment();
        }
        return visit(committed);
    });
}

}  // namespace

std::vector<consent::EachCommitted> committed_rows(const storage::Vault& vault) {
    const auto releases = [&vault](const storage::Snapshot& snapshot, const Visit& visit) {
        return each_release_commitment(
            snapshot, vault, [&](const auto& id, const auto& commitment) {
                return visit(
                    {.what = "release", .id = to_hex(id.view()), .commitment = commitment});
            });
    };
    const auto steps = [&vault](const storage::Snapshot& snapshot, const Visit& visit) {
        return each_privacy_step(
            snapshot, vault, [&](const PrivacyRequestId& id, const Result<PrivacyStep>& one) {
                Committed committed{.what = "request_step", .id = to_hex(id.view())};
                if (one) committed.commitment = one->commitment(id);
                return visit(committed);
            });
    };
    const auto suppressions = [&vault](const storage::Snapshot& snapshot, const Visit& visit) {
        return each_suppression_commitment(
            snapshot, vault, [&](const auto& id, const auto& commitment) {
                return visit(
                    {.what = "suppression", .id = to_hex(id.view()), .commitment = commitment});
            });
    };
    const auto agents = [&vault](const storage::Snapshot& snapshot, const Visit& visit) {
        return each_agent(snapshot, vault, [&](const Result<Agent>& one) {
            Committed committed{.what = "agent"};
            if (!one) return visit(committed);
            committed.id = one->id;
            committed.commitment = one->commitment();
            if (!visit(committed)) return false;
            if (!one->ended) return true;
            committed.commitment = one->commitment_of_end();
            return visit(committed);
        });
    };
    const auto rectifications = [&vault](const storage::Snapshot& snapshot, const Visit& visit) {
        return each_rectification(snapshot, vault, [&](const auto& id, const auto& commitment) {
            Committed committed{.what = "rectification", .id = to_hex(id.view())};
            if (commitment) committed.commitment = *commitment;
            return visit(committed);
        });
    };
    return {notices, policies,     releases, acknowledgements, batches,       epochs,
            steps,   suppressions, prunings, agents,           rectifications};
}

Result<consent::LedgerChecked> check_ledger(const storage::Store& store,
                                            const storage::Vault& vault,
                                            const consent::LedgerProgress& progress) {
    const auto once = [&] {
        return consent::check_ledger(*store.snapshot(), vault, progress, committed_rows(vault));
    };
    auto checked = once();
    for (int more = 0; more < kChecksMore && checked && may_be_erased(checked->fault); ++more) {
        auto again = once();
        const bool same = again && again->fault == checked->fault;
        checked = std::move(again);
        if (same) break;
    }
    return checked;
}

}  // namespace cdp
