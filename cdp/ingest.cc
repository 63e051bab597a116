#include "cdp/ingest.h"

#include <algorithm>
#include <unordered_map>

#include "cdp/event_parts.h"
#include "cdp/facts.h"
#include "cdp/filing.h"
#include "cdp/sightings.h"
#include "cdp/stamps.h"
#include "consent/signal_rows.h"
#include "storage/contended.h"
#include "storage/key.h"
#include "storage/space_watch.h"
#include "storage/trusted_time.h"

namespace cdp {
namespace {

// Events of one person in one commit; more wait for the next, so that a transaction stays small.
constexpr std::size_t kChunkEventsMax = 64;
constexpr std::size_t kChunkRowsMax = 600;

// Lost races before an event is given up with 503. Each loss means that another event of the same
// person was stored, so only a stream of them gets here.
constexpr int kRacesMax = 200;

// What an event holds until it is stored, beyond its text: what was read from it, its rows, its
// verdict. Measured on small events, and rounded up.
constexpr std::size_t kEventHeld = 4096;
constexpr std::size_t kPartHeld = 512;

std::size_t held_by(const Event& event) {
    // The text is there once more, sealed, in the row that waits to be written.
    return kEventHeld + kPartHeld * parts_of(event) + 2 * event.raw.size();
}

std::size_t held_by(const ParsedBatch& batch) {
    std::size_t bytes = 0;
    for (const auto& event : batch.events) bytes += event ? held_by(*event) : kEventHeld;
    for (const auto& id : batch.refused_ids) bytes += id.size();
    return bytes;
}

bool has_gpc(const Event& event) {
    return std::ranges::find(event.signals, consent::SignalType::gpc, &SentSignal::type) !=
           event.signals.end();
}

}  // namespace

struct Ingest::Item {
    std::size_t index = 0;  // in the request
    Event event;
    EventId id{};
    identity::Observation observation;
    std::vector<ReadSignal> signals;

    // What its transaction wrote that later events need not look up, once it is committed.
    std::optional<identity::Observed::Said> said;
    std::vector<BoundStamp> stamped;
};

// The events of a request that have an identifier, or a messageId, in common. What one of them
// changes the next must see, so they share a transaction and stay in order.
struct Ingest::Cluster {
    std::vector<std::size_t> items;  // positions in Request::items
    std::size_t stored = 0;          // of them, committed
    std::size_t working = 0;         // of them, in the transaction under way
    int races = 0;
};

struct Ingest::Request {
    std::string source;
    Trust trust = Trust::client;
    std::chrono::milliseconds skew{0};  // storage::clock_skew
    std::vector<Item> items;
    std::vector<Cluster> clusters;
    std::vector<Verdict> verdicts;
    Backlog::Place place;
    Ingested done;
};

Ingest::Ingest(IntakeNeeds needs, const Groups& groups, const SourceNames& sources)
    : needs_(needs),
      groups_(groups),
      sources_(sources),
      signals_(needs.config.policy),
      spellings_({needs.vault, needs.graph, needs.config}) {}

Ingest::~Ingest() = default;

void Ingest::run(const Principal& source, ParsedBatch batch, Ingested done) {
    if (needs_.store.waiting() > needs_.config.waiting_max) {
        done(needs_.backlog.refuse(Backlog::Intake::events));
        return;
    }
    if (storage::low_on_space(needs_.store)) {
        done(Error{
            .code = ErrorCode::storage_full,
            .reason = "disk_low",
            .message = "The disk is nearly full: what is left is kept for more than events."});
        return;
    }
    auto place = needs_.backlog.enter(Backlog::Intake::events, held_by(batch));
    if (!place) {
        done(place.error());
        return;
    }
    auto request = std::make_shared<Request>();
    request->place = std::move(*place);
    request->source = source_name(source);
    request->trust = source.trust;
    request->skew = storage::clock_skew(needs_.store);
    request->verdicts.resize(batch.events.size());
    request->done = std::move(done);
    const auto source_hash = source_hash_of(needs_.vault, request->source);
    for (std::size_t i = 0; i < batch.events.size(); ++i) {
        Verdict& verdict = request->verdicts[i];
        auto& event = batch.events[i];
        if (!event) {
            verdict.error = event.error();
            if (i < batch.refused_ids.size()) verdict.message_id = batch.refused_ids[i];
            needs_.counters.rejected.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        verdict.message_id = event->message_id;
        request->items.push_back(prepare(request->source, source_hash, std::move(*event), i));
        verdict.warnings = std::move(request->items.back().event.warnings);
    }
    request->clusters = clusters_of(request->items);
    step(request);
}

Ingest::Item Ingest::prepare(const std::string& source, std::uint32_t source_hash, Event event,
                             std::size_t index) const {
    Item item;
    item.index = index;
    item.id = event_id_of(needs_.vault, source, event.message_id);
    item.observation = observation_of(event, source_hash, needs_.graph, needs_.config.types);
    if (event.previous_id && !item.observation.alias)
        event.warnings.emplace_back("null_like_previous_id");
    item.signals = signals_.read(event.signals, event.time);
    for (const auto& signal : item.signals)
        for (const auto fault : signal.reading->faults)
            if (auto code = signal_warning(fault);
                std::ranges::find(event.warnings, code) == event.warnings.end())
                event.warnings.push_back(std::move(code));
    item.event = std::move(event);
    return item;
}

std::vector<Ingest::Cluster> Ingest::clusters_of(const std::vector<Item>& items) const {
    // Union-find over items; the tokens and ids only say which to unite.
    std::vector<std::size_t> root(items.size());
    const auto find = [&](std::size_t i) {
        while (root[i] != i) i = root[i] = root[root[i]];
        return i;
    };
    std::unordered_map<Token, std::size_t> first;
    first.reserve(items.size() * 4);
    for (std::size_t i = 0; i < items.size(); ++i) {
        root[i] = i;
        const auto meet = [&](const Token& token) {
            const auto [at, fresh] = first.try_emplace(token, i);
            if (!fresh) root[find(i)] = find(at->second);
        };
        const auto& seen = items[i].observation;
        for (const auto& sighting : seen.sightings) meet(sighting.token);
        if (seen.alias) {
            meet(seen.alias->account.token);
            meet(seen.alias->cookie.token);
        }
        meet(Token{items[i].id.bytes});
        // Each of a company's traits is one row, which the calls of all its people write.
        const Event& event = items[i].event;
        if (!event.group_traits.empty()) meet(Token{groups_.id_of(event.group_id).bytes});
    }
    std::unordered_map<std::size_t, std::size_t> at;
    std::vector<Cluster> clusters;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto [cluster, fresh] = at.try_emplace(find(i), clusters.size());
        if (fresh) clusters.emplace_back();
        clusters[cluster->second].items.push_back(i);
    }
    return clusters;
}

// Works the next chunk of every unfinished cluster and hands the transactions over together.
void Ingest::step(const Pending& request) {
    const auto snapshot = needs_.store.snapshot();
    std::vector<storage::Transaction> transactions;
    std::vector<std::size_t> asked;  // the cluster of each transaction
    for (std::size_t c = 0; c < request->clusters.size(); ++c) {
        Cluster& cluster = request->clusters[c];
        while (cluster.stored < cluster.items.size()) {
            cluster.working = std::min(kChunkEventsMax, cluster.items.size() - cluster.stored);
            storage::Transaction transaction(*snapshot, storage::kPartition);
            if (auto worked = work(*snapshot, transaction, *request, cluster); !worked) {
                answer(*request, worked.error());
                return;
            }
            if (!transaction.empty()) {
                transactions.push_back(std::move(transaction));
                asked.push_back(c);
                break;
            }
            cluster.stored += cluster.working;  // duplicates only
        }
    }
    if (transactions.empty()) {
        finish(request);
        return;
    }
    needs_.store.commit(std::move(transactions),
                        [this, request, asked = std::move(asked)](auto outcomes) mutable {
                            settle(request, std::move(asked), std::move(outcomes));
                        });
}

// On the committer's thread.
void Ingest::settle(const Pending& request, std::vector<std::size_t> asked,
                    std::vector<storage::CommitOutcome> outcomes) {
    bool unfinished = false;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        Cluster& cluster = request->clusters[asked[i]];
        switch (outcomes[i].state) {
            case storage::CommitState::ok:
                learn(*request, cluster, outcomes[i].version);
                cluster.stored += cluster.working;
                cluster.races = 0;
                break;
            case storage::CommitState::conflict:
                needs_.counters.conflicts.fetch_add(1, std::memory_order_relaxed);
                if (++cluster.races > kRacesMax) {
                    answer(*request, storage::contended("send again in a moment."));
                    return;
                }
                break;
            case storage::CommitState::unknown: answer(*request, outcomes[i].error); return;
        }
        unfinished = unfinished || cluster.stored < cluster.items.size();
    }
    if (unfinished) {
        needs_.again.post([this, request] { step(request); });
        return;
    }
    finish(request);
}

void Ingest::finish(const Pending& request) {
    std::uint64_t accepted = 0;
    std::uint64_t suppressed = 0;
    for (const Verdict& verdict : request->verdicts) {
        accepted += verdict.kind == VerdictKind::accepted;
        suppressed += verdict.kind == VerdictKind::suppressed;
    }
    const auto duplicate = request->items.size() - accepted - suppressed;
    needs_.counters.accepted.fetch_add(accepted, std::memory_order_relaxed);
    needs_.counters.suppressed.fetch_add(suppressed, std::memory_order_relaxed);
    needs_.counters.duplicate.fetch_add(duplicate, std::memory_order_relaxed);
    answer(*request, std::move(request->verdicts));
}

void Ingest::answer(Request& request, Result<std::vector<Verdict>> result) {
    request.place.leave();  // once it is answered, the platform may be gone
    request.done(std::move(result));
}

void Ingest::learn(Request& request, const Cluster& cluster, storage::Version version) const {
    sources_.committed(request.source);
    for (std::size_t i = 0; i < cluster.working; ++i) {
        Item& item = request.items[cluster.items[cluster.stored + i]];
        if (item.said) needs_.graph.committed(std::move(*item.said), version);
        for (const auto& [token, stamp] : item.stamped) needs_.consents.committed(token, stamp);
    }
}

Result<void> Ingest::work(const storage::Snapshot& snapshot, storage::Transaction& transaction,
                          Request& request, Cluster& cluster) {
    std::vector<Token> unsettled;
    for (std::size_t i = 0; i < cluster.working; ++i) {
        Item& item = request.items[cluster.items[cluster.stored + i]];
        request.verdicts[item.index].kind =
            CDP_TRY(store(snapshot, transaction, request, item, unsettled));
        if (transaction.writes().size() >= kChunkRowsMax) cluster.working = i + 1;
    }
    CDP_CHECK(needs_.suppressed.heed_hashes(transaction));
    if (!transaction.empty()) sources_.keep(transaction, {request.source, request.trust});
    if (unsettled.empty()) return Result<void>::ok();
    needs_.counters.folds.fetch_add(1, std::memory_order_relaxed);
    return needs_.graph.settle(transaction, unsettled, needs_.clock.now());
}

Result<VerdictKind> Ingest::store(const storage::Snapshot& snapshot,
                                  storage::Transaction& transaction, const Request& request,
                                  Item& item, std::vector<Token>& unsettled) {
    item.said.reset();  // of an attempt that lost its race
    item.stamped.clear();
    const Event& event = item.event;
    const auto dedupe = dedupe_key(item.id);
    if (const auto row = CDP_TRY(transaction.get(dedupe))) {
        const auto seen = decode_seen(*row);
        if (!seen) return damaged("a dedupe row that cannot be read");
        if (seen->expires > std::min(event.received, event.received + request.skew))
            return seen->erased() ? VerdictKind::suppressed : VerdictKind::duplicate;
    }
    if (CDP_TRY(is_erased(transaction, item))) return VerdictKind::suppressed;
    auto observed = CDP_TRY(needs_.graph.observe(snapshot, transaction, item.observation));
    item.said = std::move(observed.said);
    unsettled.insert(unsettled.end(), observed.unsettled.begin(), observed.unsettled.end());

    const Token& home = item.observation.sightings.front().token;
    const auto key = event_key(home, event.time, item.id);
    transaction.put(key, storage::Vault::seal(
                             observed.home_key, key,
                             encode(StoredEvent{event.received, event.type, request.trust,
                                                event.time_adjusted, has_gpc(event), request.source,
                                                event.message_id, event.name, event.raw})));
    const auto since = std::max(event.received, event.received + request.skew);
    transaction.put(dedupe, encode(Seen{since + needs_.config.dedupe_window, home, event.time}));
    const Filing filing{event,         item.id,       home, item.observation.sightings,
                        request.trust, request.source};
    CDP_CHECK(file_folds(transaction, {needs_.vault, needs_.corrections}, groups_,
                         observed.home_key, filing));
    CDP_CHECK(stamp(transaction, request, item));
    return VerdictKind::accepted;
}

// That it would bring back who was erased, however it names them.
Result<bool> Ingest::is_erased(storage::Transaction& transaction, const Item& item) const {
    const auto& seen = item.observation;
    auto tokens = tokens_of(seen);
    CDP_CHECK(spellings_.add_behind(needs_.tombstones, transaction, seen.sightings, tokens));
    if (seen.alias)
        for (const auto* one : {&seen.alias->account, &seen.alias->cookie})
            CDP_CHECK(
                spellings_.add_behind(needs_.tombstones, transaction, std::span(one, 1), tokens));
    return needs_.tombstones.suppress(transaction, tokens, item.event.time);
}

Result<void> Ingest::stamp(storage::Transaction& transaction, const Request& request,
                           Item& item) const {
    for (auto& bound : stamps_of(needs_.config.policy, {.preferences = item.event.preferences,
                                                        .signals = item.signals,
                                                        .sightings = item.observation.sightings,
                                                        .source = request.source,
                                                        .trust = request.trust,
                                                        .time = item.event.time})) {
        if (!CDP_TRY(
                needs_.consents.stamp(transaction, bound.token, bound.stamp, item.event.received)))
            continue;
        if (const auto& signal = bound.stamp.signal) {
            const auto sent = std::ranges::find(item.signals, *signal, &ReadSignal::signal);
            CDP_TRY(
                consent::keep_signal(transaction, needs_.vault, bound.token, *signal, sent->text));
        }
        item.stamped.push_back(std::move(bound));
    }
    return Result<void>::ok();
}

}  // namespace cdp
