#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/disclosures.h"
#include "cdp/privacy_job.h"
#include "cdp/privacy_queries.h"
#include "cdp/privacy_request.h"
#include "cdp/shown.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

// What people ask of their data, whatever protocol brought it; docs/decisions/0029.
namespace cdp {
class PrivacyChange;

// Safe to use from many threads; everything it refers to must outlive it. What returns has been
// written: on disk, and in the ledger.
class PrivacyRequests {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const Tombstones& tombstones;
        Disclosures& disclosures;
        const Config& config;
        const Clock& clock;
    };
    explicit PrivacyRequests(Needs needs) : needs_(needs) {}

    // Before anything else is called; the last for a kind counts.
    void serve(PrivacyKind kind, PrivacyExecutor executor) {
        executors_[kind] = std::move(executor);
    }
    bool serves(PrivacyKind kind) const { return executors_.contains(kind); }
    // What ends a restriction; its results are the records by which.
    void lift_with(PrivacyExecutor lifter) { lifter_ = std::move(lifter); }
    // The law of requests that name none; a name of privacy_regimes(). Before the first.
    void default_regime(std::string name) { default_regime_ = std::move(name); }
    // Called by whoever erased somebody for a request, before that is said to be done; before
    // anything else is called, and then from any thread.
    void after_erasure(std::function<void()> told) { after_erasure_ = std::move(told); }
    void erased() const {
        if (after_erasure_) after_erasure_();
    }
    // Has those who subscribed look whether something is to be done.
    void tell() const;

    // Takes a request, and verifies it as far as `verified_by` does. The same again is answered as
    // it stands now. Errors: kind_not_served, regime_unknown, identifiers_missing,
    // too_many_identifiers, those of read_said, purpose_unknown, purposes_required, traits_missing,
    // received_in_future, malformed_*; request_id_reused (conflict); erasure_under_way.
    Result<PrivacyRequest> submit(const std::string& sender, const NewPrivacyRequest& request);

    // Errors, both: request_unknown (not_found).
    Result<PrivacyRequest> find(PrivacyProtocol protocol, std::string_view sender,
                                std::string_view external_id) const;
    Result<PrivacyRequest> read(const PrivacyRequestId& id) const;
    Result<PrivacyRequest> read(std::string_view hexadecimal) const;

    // Whom it led to when it was done, as far as they were not erased.
    Result<std::vector<FoundPerson>> found_in(const PrivacyRequestId& id) const;

    // What somebody does about it. Errors: step_not_possible (also to end by hand what is being
    // done), already_extended, already_lifted, person_erased: a detail has nobody to go with (all
    // conflict); not_extendable, person_not_informed, code_required, denial_required.
    Result<PrivacyRequest> step(const std::string& author, const PrivacyRequestId& id,
                                const PrivacyStepRequest& step);

    // Whoever asks has shown that they have this identifier, which verifies the request for it
    // alone: what else it named is left out. request_unknown; step_not_possible: it does not wait
    // for that.
    Result<PrivacyRequest> prove(const PrivacyRequestId& id, const RequestedIdentifier& has);

    // Does what can be done now, to its end; waits for it. Doing nothing is no error.
    Result<PrivacyRequest> advance(const PrivacyRequestId& id);
    // advance() for all whose time has come; the time of the next, nullopt when there is none.
    // False stops in between.
    Result<std::optional<Timestamp>> run_due(const std::function<bool()>& more);
    // Called after each commit that makes something ready or owed, on any thread: return at once.
    void subscribe(std::function<void()> changed);

    // What a protocol has not been told, the first to be told first, at most so many; false: due
    // ones alone. What is damaged is left out.
    Result<std::vector<OwedCallback>> owed(PrivacyProtocol protocol, std::size_t most,
                                           bool also_later = false) const;
    // It was told, or never will be: `code` and `detail` say how, and are a step of the request.
    Result<void> settle(const OwedCallback& owed, const std::string& code,
                        const std::string& detail);
    // It was tried in vain.
    Result<void> postpone(const OwedCallback& owed, Timestamp until);

    // For officers. {"requests":[…],"next":CURSOR|null} names no person; one does, and is listed.
    // status_unknown, kind_unknown, malformed_cursor; request_unknown.
    Result<std::string> page(const PrivacyRequestsQuery& query) const;
    Result<std::string> show(const Reader& reader, const PrivacyRequestId& id,
                             const PrivacyUrlsOf& urls_of = {}) const;
    // As show, without noting it.
    Result<std::string> json(const PrivacyRequest& request, const PrivacyUrls& urls = {}) const;

private:
    // What a change makes of a request; false: nothing.
    using Decide = std::function<Result<bool>(PrivacyChange&, const storage::Snapshot&)>;

    Result<std::optional<PrivacyRequestId>> known(storage::Transaction& transaction,
                                                  const PrivacyRow& row,
                                                  std::string_view external) const;
    Result<void> add(People::Reading reading, PrivacyRow row, const std::vector<NamedToken>& named,
                     const NewPrivacyRequest& request) const;
    Result<PrivacyRow> find_row(const PrivacyRequestId& id) const;
    Result<PrivacyRow> change(const PrivacyRequestId& id, const Decide& decide) const;
    Result<void> take(const std::string& author, const PrivacyStepRequest& step,
                      PrivacyChange& change, const storage::Snapshot& snapshot) const;
    Result<void> lift(const PrivacyRequestId& id, const PrivacyStepRequest& step,
                      PrivacyResults& results) const;
    Result<bool> advance_once(const PrivacyRequestId& id) const;
    Result<bool> expire(const PrivacyRequestId& id) const;
    Result<bool> begin(const PrivacyRequestId& id) const;
    Result<bool> execute(const PrivacyRow& row) const;
    Result<bool> end_of_erased(const PrivacyRequestId& id) const;
    Result<void> drop_stale(const TimedRequest& at) const;
    Result<PrivacyJob> job_of(const PrivacyRow& row) const;
    Result<PrivacyRequest> whole(const storage::Snapshot& snapshot, const PrivacyRow& row) const;

    Needs needs_;
    std::map<PrivacyKind, PrivacyExecutor> executors_;
    PrivacyExecutor lifter_;
    std::function<void()> after_erasure_;
    std::string default_regime_ = "gdpr";

    mutable std::mutex mutex_;
    mutable std::condition_variable ended_;
    mutable std::set<PrivacyRequestId> running_;      // under mutex_
    std::vector<std::function<void()>> subscribers_;  // under mutex_
};

}  // namespace cdp
