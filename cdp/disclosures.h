#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cdp/access.h"
#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/disclosure_fold.h"
#include "cdp/disclosure_merge.h"
#include "cdp/disclosure_records.h"
#include "cdp/disclosure_rows.h"
#include "cdp/known_masks.h"
#include "cdp/listing.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "cdp/unlisted.h"
#include "storage/journal.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What left, to whom and why: listed before it leaves, in the ledger within a second.
// docs/decisions/0019 says how. Safe to use from many threads; everything it refers to must outlive
// it.
class Disclosures {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const Config& config;
        const Clock& clock;
    };
    // Starts two threads, which sleep until something is listed.
    Disclosures(Needs needs, std::unique_ptr<storage::Journal> journal);
    // Drains what is left. Nothing is listed any more.
    ~Disclosures();
    Disclosures(const Disclosures&) = delete;
    Disclosures& operator=(const Disclosures&) = delete;

    // Takes up what an earlier process left, and says the gap when the machine has gone down under
    // it. Called by the first that lists or reads, unless it was called before.
    Result<void> begin();

    // Lists an answer to a channel; what is returned may leave. Survives the process when this
    // returns, under a Listing::Scope when its listing is written. Error unavailable,
    // disclosure_unrecorded: nothing may leave.
    Result<ChannelAnswer> release(const Principal& channel,
                                  const std::shared_ptr<const Unlisted>& answer);

    // The same of what somebody who runs the platform is about to be shown. Of an error nothing is
    // noted.
    Result<std::string> show(const Reader& reader, Result<Shown> shown);
    // Of what leaves piece by piece: before the first.
    Result<void> note_access(const Reader& reader, const Looked& looked);

    // Writes what was gathered in scopes, however long the disk takes. False: others are writing.
    bool try_list(const Scribe::Listings& listings);
    // Has it written, see Scribe::hand_over().
    void list(Scribe::Listings listings, std::function<void()> done);
    // Whether the journal takes no record: the last one could not be written, which is tried again
    // once a second, or takes longer than a disk that works needs.
    bool stalled() const;

    // Moves what is listed into the store and the ledger now. An error leaves it in the journal,
    // and it is tried again within a second.
    Result<void> drain();

    // Reads see everything that left before they were called.

    // Of one identifier, newest first, as far as `query` says. Rows that cannot be opened because
    // the identifier's key was destroyed are counted as erased.
    Result<DisclosedPage> of_subject(const Token& subject, const DisclosedQuery& query);
    // Of several identifiers together, newest first, from behind `after` on. `visit` is given
    // nothing of a row that nobody can read any more, and returns false to stop.
    using VisitDisclosed =
        std::function<Result<bool>(const DisclosedPlace& place, std::optional<Disclosed> row)>;
    Result<void> each_of(const std::vector<Token>& subjects,
                         const std::optional<DisclosedPlace>& after, const VisitDisclosed& visit);
    // A batch with its rows in order; nullopt: no such batch.
    Result<std::optional<DisclosedBatch>> batch(std::uint64_t number);
    Result<consent::Mask> mask(const consent::MaskId& id) const;
    // Batches of a channel, newest first.
    Result<BatchPage> of_channel(std::string_view channel, const BatchQuery& query);
    // What one who runs the platform looked at; a peer at the admin socket has role `peer` and the
    // name uid:N.
    Result<BatchPage> of_reader(std::string_view role, std::string_view name,
                                const BatchQuery& query);
    // Gaps, newest first.
    Result<BatchPage> gaps(const BatchQuery& query);

    // The first level of a row's proof, and what it proves. not_found when there is no such row.
    Result<RowProof> prove(std::uint64_t batch, std::uint32_t row);

private:
    Result<void> tell(Listing::Told told);
    void write_down(Scribe::Listings listings);
    void write_down_locked(const Scribe::Listings& listings);
    void append_all(Scribe::Listings listings);
    Result<void> write_locked(const std::function<Result<void>()>& write);
    void try_again(std::unique_lock<std::mutex>& lock);
    Result<void> append_locked(std::span<const std::string> records);
    void cut();
    // What a segment says, and how much of it nobody can read.
    struct ReadSegment {
        std::vector<DisclosureFold::Folded> parts;  // the same each time
        std::uint64_t unread = 0;
    };
    Result<void> drain_segment(std::uint64_t segment);
    Result<ReadSegment> read_segment(std::uint64_t segment) const;
    Result<void> end();
    Result<Disclosed> row_of(const storage::Snapshot& snapshot, const Token& subject,
                             std::string_view key, SubjectRow row) const;
    Result<std::optional<DisclosedBatch>> stored_batch(std::uint64_t number) const;
    Result<BatchPage> of(const Token& reader, const BatchQuery& query);
    void sync_newest(std::unique_lock<std::mutex>& lock);
    void run();

    Needs needs_;
    const std::unique_ptr<storage::Journal> journal_;

    std::mutex begin_mutex_;  // held while what an earlier process left is taken up
    std::atomic<bool> begun_ = false;
    std::mutex drain_mutex_;  // held while segments are drained; before mutex_
    KnownMasks known_masks_;  // the drain's
    std::mutex mutex_;  // held for one append, however long the disk takes; guards the journal's
                        // newest segment and what follows
    DisclosureRecords records_;
    std::size_t waiting_segments_ = 0;  // cut and not drained
    bool waiting_ = false;              // something is listed and not drained
    bool closing_ = false;
    std::condition_variable changed_;

    std::atomic<bool> failing_ = false;              // the last append
    std::atomic<std::int64_t> appending_since_ = 0;  // steady milliseconds; 0: nothing
    std::thread thread_;
    Scribe scribe_;  // ends first
};

}  // namespace cdp
