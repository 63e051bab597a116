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
#include "storage/trusted_time.h"

namespace cdp {
namespace {

using consent::JsonWriter;
using State = RetentionRun::State;

// Of one commit: as soon as there are so many writes it is made.
constexpr std::size_t kWritesEnough = 1'000;
// Rows that are looked at on one snapshot; an identifier counts as one too.
constexpr std::size_t kRowsMax = 10'000;
// So often may others write first where a single row is looked at.
constexpr int kRacesMax = 50;

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
    out.close_list();
    out.number("unreadable", static_cast<std::int64_t>(run.unreadable));
    out.number("contended", static_cast<std::int64_t>(run.contended));
    return out.close().take();
}

struct Retentions::Work {
    RetentionRun run;
    std::optional<HomeRetention> home = {};  // that is half done
    std::size_t rows = kRowsMax;             // are looked at before the next commit
    int races = 0;                           // lost one after the other, with a single row
};

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
        const auto left = next ? *next - now() : std::chrono::milliseconds{0};
        if (next && left.count() <= 0 && !failed) {
            const auto run = this->run();
            failed = !run && run.error().reason != "stopping";
            // Who asked for a run will finish it.
            if (failed && run.error().reason != "retention_running")
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
        return now();
    return latest->begun + needs_.config.retention_every;
}

Timestamp Retentions::now() const {
    return storage::earliest_time(needs_.store, needs_.clock.now());
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
    RetentionRun run{.begun = now(),
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
    log::write(run.unreadable > 0 ? log::Level::warning : log::Level::info, "retention_run",
               {{"state", log::safe(to_string(state))},
                {"rules", static_cast<std::int64_t>(run.rules.size())},
                {"pruned", static_cast<std::int64_t>(all)},
                {"unreadable", static_cast<std::int64_t>(run.unreadable)},
                {"contended", static_cast<std::int64_t>(run.contended)}});
    return Result<void>::ok();
}

Result<RetentionRun> Retentions::prune(const Report& report) const {
    if (stopping_) return is_stopping();
    Work work{.run = CDP_TRY(begin())};
    while (!work.run.rules.empty() && !CDP_TRY(step(work))) {
        if (report) report(work.run);
        CDP_CHECK(let_others_go_first());
    }
    CDP_CHECK(end(work.run, State::completed));
    return std::move(work.run);
}

// As much as one commit holds; whether that was all. What lost a race is done again, half of it:
// the less is done, the sooner it is done.
Result<bool> Retentions::step(Work& work) const {
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    auto next = work.run;
    auto at = work.home;
    auto rows = work.rows;
    bool all = false;
    while (rows > 0 && transaction.writes().size() < kWritesEnough) {
        if (!at) {
            const auto token = CDP_TRY(home_after(*snapshot, next.through));
            all = !token;
            if (all) break;
            at.emplace(home_needs_, *token, work.run.begun);
        }
        const auto before = rows;
        const bool done =
            CDP_TRY(at->step({*snapshot, transaction}, {next.pruned, next.unreadable}, rows));
        if (!done && rows == before) break;  // the commit is full
        if (!done) continue;
        next.through = at->home();
        at.reset();
        if (rows > 0) --rows;
    }
    if (!transaction.empty()) {
        put_run(transaction, next);
        const auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::conflict) {
            work.rows = std::max<std::size_t>((work.rows - rows) / 2, 1);
            if (work.rows > 1 || ++work.races < kRacesMax) return false;
            CDP_CHECK(leave_to_next_run(work));
            return false;
        }
        if (outcome.state != storage::CommitState::ok) return outcome.error;
    }
    work.run = std::move(next);
    work.home = std::move(at);
    work.rows = std::min(work.rows * 2, kRowsMax);
    work.races = 0;
    return all;
}

// Somebody writes there all the time; what has passed is shown to nobody all the same.
Result<void> Retentions::leave_to_next_run(Work& work) const {
    const auto snapshot = needs_.store.snapshot();
    const auto busy = work.home ? std::optional(work.home->home())
                                : CDP_TRY(home_after(*snapshot, work.run.through));
    if (busy) work.run.through = busy;
    ++work.run.contended;
    work.home.reset();
    work.races = 0;
    return Result<void>::ok();
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
    // It looks at every row there is.
    const std::unique_lock turn(trying_, std::try_to_lock);
    if (!turn)
        return Error{.code = ErrorCode::overloaded,
                     .reason = "busy",
                     .message = "Another dry run is under way; send it again in a moment."};
    RetentionRun run{.begun = now(),
                     .rules = needs_.config.retention,
                     .pruned = PrunedByRule(needs_.config.retention.size())};
    const auto snapshot = needs_.store.snapshot();
    const ForecastBounds whole{std::numeric_limits<std::uint64_t>::max(), &stopping_};
    const auto all =
        CDP_TRY(forecast(home_needs_, *snapshot, run.begun, std::chrono::days{0}, whole));
    run.pruned = all.now;
    run.unreadable = all.unreadable;
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
    const ForecastBounds sample{.rows_max = kForecastRows};
    const auto seen = CDP_TRY(forecast(home_needs_, *snapshot, now(), kAhead, sample));
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
    out.number("unreadable", static_cast<std::int64_t>(seen.unreadable));
    out.number("looked_at", static_cast<std::int64_t>(seen.rows));
    out.json("next_run", rules.empty() ? "null" : time_json(CDP_TRY(next_run(*snapshot))));
    const auto next = CDP_TRY(write_runs(out, *snapshot, before, page.limit));
    return out.json("next", next).close().take();
}

}  // namespace cdp
