#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cdp/base/clock.h"
#include "cdp/queries.h"
#include "cdp/retention_home.h"
#include "cdp/retention_runs.h"
#include "consent/json_writer.h"
#include "storage/store.h"

namespace cdp {

// Prunes what is past its time, and says beforehand what will be; docs/decisions/0034. Safe to use
// from many threads; everything it refers to must outlive it.
class Retentions {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const consent::Consents& consents;
        const Groups& groups;
        const Config& config;
        const Clock& clock;
    };
    explicit Retentions(const Needs& needs);
    ~Retentions() { stop(); }
    Retentions(const Retentions&) = delete;
    Retentions& operator=(const Retentions&) = delete;

    // Runs when it is time, and first goes on with what an earlier process began. Once; nothing
    // when there are no rules.
    void start() const;
    // Ends what runs at its next step: the next run goes on with it. Nothing runs when it returns.
    void stop() const;

    // Prunes everything that has passed by now, in small commits beside others', each with how far
    // it has come; waits while they wait. Returns when it is done and in the ledger. Errors:
    // retention_running (conflict), stopping, and those of the store: the next run goes on.
    // `report`, if given, is told after each commit.
    using Report = std::function<void(const RetentionRun&)>;
    Result<RetentionRun> run(const Report& report = nullptr) const;
    // What it would prune, written nowhere. Errors: busy (overloaded), one at a time; stopping.
    Result<RetentionRun> dry_run() const;

    // The rules, when the next run is, what goes now and within 30 days, by rule, and a page of the
    // runs, newest first: JSON. Looks at so many rows at most: beyond, the counts are estimates.
    Result<std::string> state(const PageQuery& page) const;

private:
    Result<RetentionRun> prune(const Report& report) const;
    Result<RetentionRun> begin() const;
    Result<void> end(RetentionRun& run, RetentionRun::State state) const;
    // How far a run is, and how much it tries to do at once.
    struct Work;
    Result<bool> step(Work& work) const;
    Result<void> leave_to_next_run(Work& work) const;
    Result<void> let_others_go_first() const;
    Result<Timestamp> next_run(const storage::Snapshot& snapshot) const;
    // By what is trusted of the clock: what goes does not come back.
    Timestamp now() const;
    void work() const;

    const Needs needs_;
    const HomeRetention::Needs home_needs_;
    mutable std::mutex turn_;    // held by who prunes
    mutable std::mutex trying_;  // held by who tries out
    mutable std::atomic<bool> stopping_ = false;
    mutable std::mutex mutex_;
    mutable std::condition_variable wake_;
    mutable std::thread thread_;
};

// What a rule says, as members of an object that is open.
void write_rule(consent::JsonWriter& out, const RetentionRule& rule);

// {"begun":…,"state":…,"finished":…,"rules":[…]}
std::string render(const RetentionRun& run);

}  // namespace cdp
