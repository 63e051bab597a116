#include "cdp/disclosures.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "cdp/base/log.h"
#include "cdp/disclosure_drain.h"
#include "cdp/disclosure_fold.h"
#include "cdp/texts.h"
#include "storage/boot.h"
#include "storage/contended.h"

namespace cdp {
namespace {

using namespace std::chrono_literals;

// From the first append to the drain, and between syncs: with the drain itself it stays below a
// second. Where very many are read about, drains take long; then they come more seldom, so that
// they take a twentieth of a core at most, and fold more into each row.
constexpr auto kDrainAfter = 500ms;
constexpr auto kDrainAfterMax = 30s;
constexpr int kPauses = 20;
constexpr auto kAgainAfter = 1s;

// A segment is held in memory while it is folded. A small one would be cut before anybody is told
// the same again, and fold nothing.
constexpr std::uint64_t kSegmentBytesMax = 16 * 1024 * 1024;

// Of a journal that cannot be drained: a store that takes nothing must not fill the disk too.
constexpr std::size_t kSegmentsMax = 32;

constexpr int kTriesMax = 5;

constexpr int kLockTriesMax = 100;  // about a microsecond

// No append takes so long on a disk that works; the committer's is the same.
constexpr std::chrono::milliseconds kStall{5000};

std::int64_t steady_now() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Error unrecorded(std::string detail) {
    return {.code = ErrorCode::unavailable,
            .reason = "disclosure_unrecorded",
            .message = "What would be sent cannot be recorded now, so it is not sent.",
            .detail = std::move(detail)};
}

// As a batch names somebody who runs the platform, or whom it is about.
std::string name_of(const Reader& reader) {
    if (reader.uid >= 0) return "uid:" + std::to_string(reader.uid);
    return reader.who.name.empty() ? "themselves" : reader.who.name;
}
std::string role_of(const Reader& reader) {
    if (reader.uid >= 0) return "peer";
    return reader.who.name.empty() ? "person" : std::string(to_string(reader.who.role));
}

}  // namespace

Unlisted::Unlisted(consent::Composed composed)
    : body_(std::make_shared<const std::string>(std::move(composed.body))),
      told_(consent::encode(composed.disclosure)) {}

Disclosures::Disclosures(Needs needs, std::unique_ptr<storage::Journal> journal)
    : needs_(needs),
      journal_(std::move(journal)),
      records_(needs.vault),
      thread_([this] { run(); }),
      scribe_([this](Scribe::Listings listings) { write_down(std::move(listings)); }) {}

Disclosures::~Disclosures() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_one();
    thread_.join();
    if (!begun_) return;
    if (const auto ended = end(); !ended)
        log::write(log::Level::warning, "disclosures_not_drained",
                   {{"detail", log::safe(ended.error().detail)}});
}

Result<ChannelAnswer> Disclosures::release(const Principal& channel,
                                           const std::shared_ptr<const Unlisted>& answer) {
    CDP_CHECK(tell({.answer = answer,
                    .disclosure = {},
                    .to = {.kind = consent::BatchKind::release,
                           .role = std::string(to_string(channel.role)),
                           .name = channel.name,
                           .channel = channel.channel,
                           .reason = {}},
                    .at = needs_.clock.now()}));
    return ChannelAnswer(answer->body_);
}

Result<void> check_reason(const Reader& reader) {
    return check_reason(reader.reason);
}

Result<std::string> Disclosures::show(const Reader& reader, Result<Shown> shown) {
    if (!shown) return shown.error();
    CDP_CHECK(note_access(reader, shown->whom_));
    return std::move(shown->json_);
}

Result<void> Disclosures::note_access(const Reader& reader, const Looked& looked) {
    const consent::MaskField field{
        .section = consent::Section::routes, .name = reader.route, .form = "raw"};
    consent::Disclosure told;
    const auto add = [&](consent::SubjectMask::Kind kind, const auto& id) {
        told.subjects.push_back({.kind = kind, .id = id, .mask = {field}, .evidence = {}});
    };
    for (const auto& token : looked.identifiers)
        add(consent::SubjectMask::Kind::identifier, token.bytes);
    for (const auto& person : looked.persons) add(consent::SubjectMask::Kind::person, person.bytes);
    if (told.subjects.empty()) add(consent::SubjectMask::Kind::nobody, Token{}.bytes);
    return tell({.answer = nullptr,
                 .disclosure = consent::encode(told),
                 .to = {.kind = consent::BatchKind::access,
                        .role = role_of(reader),
                        .name = name_of(reader),
                        .channel = {},
                        .reason = reader.reason},
                 .at = needs_.clock.now()});
}

// Where a scope stands, it gathers; else the journal has it when this returns.
Result<void> Disclosures::tell(Listing::Told told) {
    if (auto* const listing = Listing::Scope::gathering()) {
        listing->told_.push_back(std::move(told));
        return Result<void>::ok();
    }
    const auto alone = std::make_shared<Listing>();
    alone->told_.push_back(std::move(told));
    write_down({alone});
    if (alone->refusal_) return *alone->refusal_;
    return Result<void>::ok();
}

void Disclosures::write_down(Scribe::Listings listings) {
    if (!begun_)
        if (const auto ready = begin(); !ready)
            return Listing::refuse(listings, unrecorded(ready.error().detail));
    const std::lock_guard lock(mutex_);
    write_down_locked(listings);
}

// What nobody planned, no memory for one, must not end the thread of a loop.
void Disclosures::write_down_locked(const Scribe::Listings& listings) {
    try {
        append_all(listings);
    } catch (const std::exception& e) {
        Listing::refuse(listings, unrecorded(e.what()));
    }
}

// Whoever has the mutex has it for a microsecond, or for long.
bool Disclosures::try_list(const Scribe::Listings& listings) {
    if (!begun_) return false;
    std::unique_lock lock(mutex_, std::try_to_lock);
    for (int tries = 0; tries < kLockTriesMax && !lock; ++tries) (void)lock.try_lock();
    if (!lock) return false;
    write_down_locked(listings);
    return true;
}

void Disclosures::list(Scribe::Listings listings, std::function<void()> done) {
    scribe_.hand_over(std::move(listings), std::move(done));
}

// The disk may take long, and those who wait may give up meanwhile: then what is written is taken
// back and the rest written again, before anybody is called back.
void Disclosures::append_all(Scribe::Listings listings) {
    while (true) {
        std::erase_if(listings, [](const auto& listing) { return listing->is_withdrawn(); });
        if (listings.empty()) return;
        auto records = records_.make(listings, journal_->segment());
        if (const auto done = append_locked(records.bytes); !done)
            return Listing::refuse(listings, done.error());
        const auto gone = std::ranges::find_if_not(
            listings, [](const auto& listing) { return listing->settle(); });
        if (gone == listings.end()) {
            records_.keep(std::move(records));
            if (journal_->bytes() > kSegmentBytesMax) cut();
            return;
        }
        std::for_each(listings.begin(), gone, [](const auto& listing) { listing->unsettle(); });
        if (const auto taken = journal_->take_back(); !taken)
            return Listing::refuse(listings, unrecorded(taken.error().detail));
    }
}

Result<void> Disclosures::append_locked(std::span<const std::string> records) {
    const auto done = write_locked([&] { return journal_->append(records); });
    if (failing_.exchange(!done) != !done) changed_.notify_one();
    CDP_CHECK(done);
    if (!std::exchange(waiting_, true)) changed_.notify_one();
    return Result<void>::ok();
}

// How long it takes is seen meanwhile.
Result<void> Disclosures::write_locked(const std::function<Result<void>()>& write) {
    if (waiting_segments_ > kSegmentsMax) return unrecorded("the journal is full");
    appending_since_ = steady_now();
    const auto done = write();
    appending_since_ = 0;
    return done ? Result<void>::ok() : unrecorded(done.error().detail);
}

// Nobody may ask again before it is known that the journal takes records.
void Disclosures::try_again(std::unique_lock<std::mutex>& lock) {
    changed_.wait_for(lock, kAgainAfter, [this] { return closing_; });
    if (!closing_) failing_ = !write_locked([this] { return journal_->try_writing(); });
}

bool Disclosures::stalled() const {
    if (failing_.load(std::memory_order_relaxed)) return true;
    const auto since = appending_since_.load(std::memory_order_relaxed);
    return since != 0 && steady_now() - since >= kStall.count();
}

// What is appended from now on stands in a segment of its own.
void Disclosures::cut() {
    if (journal_->bytes() == 0) return;
    journal_->cut();
    ++waiting_segments_;
}

void Disclosures::sync_newest(std::unique_lock<std::mutex>& lock) {
    const auto segment = journal_->segment();
    lock.unlock();
    // An error is the drain's to tell, which syncs it too.
    (void)journal_->sync(segment);
    lock.lock();
}

void Disclosures::run() {
    std::chrono::milliseconds pause = kDrainAfter;
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return closing_ || waiting_ || failing_; });
        if (failing_) try_again(lock);
        if (!closing_ && !waiting_) continue;
        for (auto left = pause; left > 0ms && !closing_; left -= kDrainAfter) {
            changed_.wait_for(lock, kDrainAfter, [this] { return closing_; });
            if (left > kDrainAfter && !closing_ && journal_->bytes() > 0) sync_newest(lock);
        }
        if (closing_) return;
        lock.unlock();
        const auto begun = std::chrono::steady_clock::now();
        const auto drained = drain();
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - begun);
        pause = std::clamp<std::chrono::milliseconds>(took * kPauses, kDrainAfter, kDrainAfterMax);
        if (!drained)
            log::write(log::Level::warning, "disclosures_not_drained",
                       {{"detail", log::safe(drained.error().detail)}});
        lock.lock();
        if (drained) continue;
        waiting_ = true;
        changed_.wait_for(lock, kAgainAfter, [this] { return closing_; });
    }
}

Result<void> Disclosures::begin() {
    const std::lock_guard lock(begin_mutex_);
    if (begun_) return Result<void>::ok();
    const std::lock_guard draining(drain_mutex_);
    for (int tries = 0; tries < kTriesMax; ++tries) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        auto state = CDP_TRY(find_drain_state(transaction));
        DisclosureWriter writer({needs_.vault, *snapshot, transaction, known_masks_},
                                state.batches);
        const auto boot = storage::boot_id();
        const auto now = needs_.clock.now();
        // Under the same boot the kernel has everything that was appended.
        if (state.running && (boot.empty() || state.boot != boot))
            writer.write_gap(state.time, now);
        const auto drained = state.segment;
        state.running = true;
        state.boot = boot;
        state.time = now;
        state.batches = writer.given();
        transaction.put(drain_state_key(), encode(state));
        auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::conflict) continue;
        if (outcome.state != storage::CommitState::ok) return outcome.error;
        const std::lock_guard appending(mutex_);
        journal_->start_after(drained);
        waiting_segments_ = CDP_TRY(journal_->segments()).size();
        if (waiting_segments_ > 0 && !std::exchange(waiting_, true)) changed_.notify_one();
        begun_ = true;
        return Result<void>::ok();
    }
    return storage::contended("nothing was taken up.");
}

Result<void> Disclosures::drain() {
    if (!begun_) CDP_CHECK(begin());
    const std::lock_guard draining(drain_mutex_);
    {
        const std::lock_guard lock(mutex_);
        if (!waiting_ && waiting_segments_ == 0) return Result<void>::ok();
        cut();
        waiting_ = false;
    }
    for (const auto segment : CDP_TRY(journal_->segments())) {
        CDP_CHECK(drain_segment(segment));
        CDP_CHECK(journal_->drop(segment));
        const std::lock_guard lock(mutex_);
        if (waiting_segments_ > 0) --waiting_segments_;
    }
    return Result<void>::ok();
}

// One transaction for each part, so that none is long. Nothing that the store has already is
// written again: the process may have ended between two of them, or before the segment could be
// dropped.
Result<void> Disclosures::drain_segment(std::uint64_t segment) {
    CDP_CHECK(journal_->sync(segment));
    std::optional<ReadSegment> read;
    for (int tries = 0; tries < kTriesMax; ++tries) {
        const auto snapshot = needs_.store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        auto state = CDP_TRY(find_drain_state(transaction));
        if (segment <= state.segment) return Result<void>::ok();
        if (!read) read = CDP_TRY(read_segment(segment));
        if (state.parted != segment) state.parts = 0;
        state.parted = segment;
        DisclosureWriter writer({needs_.vault, *snapshot, transaction, known_masks_},
                                state.batches);
        if (state.parts < read->parts.size()) CDP_CHECK(writer.write(read->parts[state.parts]));
        const auto now = needs_.clock.now();
        const bool whole = ++state.parts >= read->parts.size();
        if (whole) {
            if (read->unread > 0) writer.write_gap(state.time, now);
            state.segment = segment;
            state.time = now;
        }
        state.batches = writer.given();
        transaction.put(drain_state_key(), encode(state));
        auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
        if (outcome.state == storage::CommitState::conflict) continue;
        if (outcome.state != storage::CommitState::ok) return outcome.error;
        for (const auto& mask : writer.masks()) known_masks_.add(mask);
        if (whole) return Result<void>::ok();
        tries = -1;
    }
    return storage::contended("it is tried again.");
}

Result<Disclosures::ReadSegment> Disclosures::read_segment(std::uint64_t segment) const {
    DisclosureFold fold(records_.key());
    ReadSegment read;
    const auto left = CDP_TRY(journal_->read(segment, [&](std::string_view record) {
        if (!fold.add(record)) ++read.unread;
    }));
    read.unread += left.bytes;
    read.parts = fold.finish(needs_.config.policy);
    return read;
}

// Drained, and not running any more: the next start finds no gap.
Result<void> Disclosures::end() {
    CDP_CHECK(drain());
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    auto state = CDP_TRY(find_drain_state(transaction));
    state.running = false;
    transaction.put(drain_state_key(), encode(state));
    auto outcome = storage::commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;
    return Result<void>::ok();
}

}  // namespace cdp
