#include "cdp/retentions.h"

#include <algorithm>
#include <limits>

#include "cdp/base/bytes.h"
#include "cdp/base/log.h"
#include "cdp/json_text.h"
#include "cdp/paging.h"
#include "cdp/retention.h"
#include "cdp/retention_forecast.h"
#include "consent/json_writer.h"
#include "storage/key.h"

namespace cdp {
namespace {

using consent::JsonWriter;
using State = RetentionRun::State;

// Of one commit: as soon as there are so many writes it is made, and a step adds some hundreds.
constexpr std::size_t kWritesEnough = 1'000;
// Homes that are looked at on one snapshot.
constexpr std::size_t kStepsMax = 200;

constexpr std::chrono::days kAhead{30};
constexpr std::uint64_t kForecastRows = 20'000;
constexpr std::chrono::minutes kLook{10};
constexpr auto kQuestion = "retention runs";

Error is_stopping() {
    return {.code = ErrorCode::unavailable,
            .reason = "stopping",
            .message = "The server is stopping; the next run goes on."};
}

void write_pruned(JsonWriter& out, std::string_view name, const Pruned& pruned) {
    out.open(name);
    out.number("events", static_cast<std::int64_t>(pruned.events));
    out.number("properties", static_cast<std::int64_t>(pruned.properties));
    out.number("traits", static_cast<std::int64_t>(pruned.traits)).close();
}

// "runs":[…]; where the next page begins, as JSON.
Result<std::string> write_runs(JsonWriter& out, const storage::Snapshot& snapshot,
                               std::optional<Timestamp> before, std::size_t limit) {
    out.open_list("runs");
    std::string next = "null";
    std::size_t count = 0;
    Timestamp last{};
    auto outcome = Result<void>::ok();
    CDP_CHECK(each_run(snapshot, before, [&](const Result<RetentionRun>& run) {
        if (!run) {
            outcome = run.error();
            return false;
        }
        if (count++ == limit) {
            const auto at = ByteWriter().i64(milliseconds_of(last)).take();
            next = '"' + cursor_to(kQuestion, at) + '"';
            return false;
        }
        last = run->begun;
        out.json({}, render(*run));
        return true;
    }));
    CDP_CHECK(outcome);
    out.close_list();
    return next;
}

}  // namespace

void write_rule(JsonWriter& out, const RetentionRule& rule) {
    out.text(to_string(rule.what), rule.name).text("keep", to_string(rule.keep));
    out.text_if("purpose", rule.purpose);
}

std::string render(const RetentionRun& run) {
    JsonWriter out;
    out.open().text("begun", format_time(run.begun)).text("state", to_string(run.state));
    out.json("finished", run.state == State::running ? "null" : time_json(run.finished));
    out.open_list("rules");
    for (std::size_t i = 0; i < run.rules.size(); ++i) {
        out.open();
        write_rule(out, run.rules[i]);
        write_pruned(out, "pruned", run.pruned[i]);
        out.close();
    }
    return out.close_list().close().take();
}

Retentions::Retentions(const Needs& needs)
    : needs_(needs),
      home_needs_{needs.vault, needs.graph, needs.consents, needs.groups, needs.config} {}

void Retentions::start() const {
    if (needs_.config.retention.empty() || thread_.joinable()) return;
    thread_ = std::thread([this] { work(); });
}

void Retentions::stop() const {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    const std::lock_guard turn(turn_);
}

void Retentions::work() const {
    std::unique_lock lock(mutex_);
    bool failed = false;
    while (!stopping_) {
        lock.unlock();
        const auto next = next_run(*needs_.store.snapshot());
        const auto left = next ? *next - needs_.clock.now() : std::chrono::milliseconds{0};
        if (next && left.count() <= 0 && !failed) {
            const auto run = this->run();
            failed = !run && run.error().reason != "stopping";
            if (failed)
                log::write(log::Level::error, "retention_failed",
                           {{"reason", log::safe(run.error().reason)},
                            {"detail", log::safe(run.error().detail)}});
            lock.lock();
            continue;
        }
        failed = false;
        lock.lock();
        const auto wait = next && left.count() > 0
                              ? std::min<std::chrono::milliseconds>(left, kLook)
                              : std::chrono::milliseconds{kLook};
        wake_.wait_for(lock, wait, [this] { return stopping_.load(); });
    }
}

Result<Timestamp> Retentions::next_run(const storage::Snapshot& snapshot) const {
    const auto latest = CDP_TRY(latest_run(snapshot));
    if (!latest || latest->state == State::running || latest->rules != needs_.config.retention)
        return needs_.clock.now();
    return latest->begun + needs_.config.retention_every;
}

Result<RetentionRun> Retentions::run(const Report& report) const {
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn)
        return Error{.code = ErrorCode::conflict,
                     .reason = "retention_running",
                     .message = "A run is under way; there is one at a time."};
    return prune(report);
}

Result<RetentionRun> Retentions::begin() const {
    const auto snapshot = needs_.store.snapshot();
    auto latest = CDP_TRY(latest_run(*snapshot));
    if (latest && latest->state == State::running) {
        if (latest->rules == needs_.config.retention) return std::move(*latest);
        CDP_CHECK(end(*latest, State::interrupted));
    }
    RetentionRun run{.begun = needs_.clock.now(),
                     .rules = needs_.config.retention,
                     .pruned = PrunedByRule(needs_.config.retention.size()),
                     .salt = consent::random_salt()};
    if (latest) run.begun = std::max(run.begun, latest->begun + std::chrono::milliseconds{1});
    storage::Transaction transaction(*snapshot, storage::kPartition);
    put_run(transaction, run);
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    return run;
}

Result<void> Retentions::end(RetentionRun& run, State state) const {
    run.state = state;
    run.finished = needs_.clock.now();
    run.through = {};
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    put_ended_run(transaction, needs_.vault, run);
    const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    std::uint64_t all = 0;
    for (const auto& one : run.pruned) all += one.all();
    log::write(log::Level::info, "retention_run",
               {{"state", log::safe(to_string(state))},
                {"rules", static_cast<std::int64_t>(run.rules.size())},
                {"pruned", static_cast<std::int64_t>(all)}});
    return Result<void>::ok();
}

Result<RetentionRun> Retentions::prune(const Report& report) const {
    if (stopping_) return is_stopping();
    auto run = CDP_TRY(begin());
    std::optional<HomeRetention> home;
    while (!run.rules.empty() && !CDP_TRY(step(run, home))) {
        if (report) report(run);
        CDP_CHECK(let_others_go_first());
    }
    CDP_CHECK(end(run, State::completed));
    return run;
}

// As much as one commit holds; whether that was all. What lost a race is done again.
Result<bool> Retentions::step(RetentionRun& run, std::optional<HomeRetention>& home) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    auto next = run;
    auto at = home;
    bool all = false;
    for (std::size_t n = 0; n < kStepsMax && transaction.writes().size() < kWritesEnough; ++n) {
        if (!at) {
            const auto token = CDP_TRY(home_after(*snapshot, next.through));
            all = !token;
            if (all) break;
            at.emplace(home_needs_, *token, run.begun);
        }
        if (!CDP_TRY(at->step({*snapshot, transaction}, next.pruned))) continue;
        next.through = at->home();
        at.reset();
    }
    if (!transaction.empty()) {
        put_run(transaction, next);
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::conflict) return false;
        if (outcome.state != storage::CommitState::ok) return outcome.error;
    }
    run = std::move(next);
    home = std::move(at);
    return all;
}

// Facts that wait for the disk before what is to go.
Result<void> Retentions::let_others_go_first() const {
    constexpr int kTurnsMax = 50;
    std::unique_lock lock(mutex_);
    for (int n = 0; n < kTurnsMax && !stopping_ && needs_.store.waiting() > 0; ++n)
        wake_.wait_for(lock, std::chrono::milliseconds{4}, [this] { return stopping_.load(); });
    if (stopping_) return is_stopping();
    return Result<void>::ok();
}

Result<RetentionRun> Retentions::dry_run() const {
    RetentionRun run{.begun = needs_.clock.now(),
                     .rules = needs_.config.retention,
                     .pruned = PrunedByRule(needs_.config.retention.size())};
    const auto snapshot = needs_.store.snapshot();
    const auto all = CDP_TRY(forecast(home_needs_, *snapshot, run.begun, std::chrono::days{0},
                                      std::numeric_limits<std::uint64_t>::max()));
    run.pruned = all.now;
    run.finished = needs_.clock.now();
    run.state = State::completed;
    return run;
}

Result<std::string> Retentions::state(const PageQuery& page) const {
    CDP_CHECK(check_limit(page.limit));
    const auto place = CDP_TRY(place_in(kQuestion, page.cursor));
    std::optional<Timestamp> before;
    if (!place.empty()) {
        ByteReader in(place);
        before = timestamp_of(in.i64());
        if (!in.done()) return malformed_cursor();
    }
    const auto snapshot = needs_.store.snapshot();
    const auto& rules = needs_.config.retention;
    const auto seen =
        CDP_TRY(forecast(home_needs_, *snapshot, needs_.clock.now(), kAhead, kForecastRows));
    JsonWriter out;
    out.open().open_list("rules");
    for (std::size_t i = 0; i < rules.size(); ++i) {
        out.open();
        write_rule(out, rules[i]);
        write_pruned(out, "due", seen.now[i]);
        write_pruned(out, "due_within_30_days", seen.soon[i]);
        out.close();
    }
    out.close_list().flag("estimated", seen.estimated);
    out.number("looked_at", static_cast<std::int64_t>(seen.rows));
    out.json("next_run", rules.empty() ? "null" : time_json(CDP_TRY(next_run(*snapshot))));
    const auto next = CDP_TRY(write_runs(out, *snapshot, before, page.limit));
    return out.json("next", next).close().take();
}

}  // namespace cdp
