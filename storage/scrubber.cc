#include "storage/scrubber.h"

#include <fcntl.h>
#include <rocksdb/file_checksum.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cdp/base/bytes.h"
#include "cdp/base/log.h"
#include "storage/file.h"
#include "storage/record_file.h"
#include "storage/trusted_time.h"

namespace storage {
namespace {

constexpr std::string_view kMagic = "cdpscrub";
constexpr std::size_t kPiece = 256 * 1024;
constexpr std::chrono::milliseconds kLookMost{3'600'000};
// How much is read again after a kill -9.
constexpr std::chrono::seconds kSaveEvery{30};

void complain(const char* event, const std::string& detail) {
    cdp::log::write(cdp::log::Level::error, event, {{"detail", cdp::log::safe(detail)}});
}

std::uint64_t bytes_of(std::span<const TableFile> tables) {
    std::uint64_t bytes = 0;
    for (const auto& table : tables) bytes += table.bytes;
    return bytes;
}

}  // namespace

// With so many of the damaged.
std::string Scrubber::render(const Progress& progress, std::size_t damaged) {
    cdp::ByteWriter out;
    out.raw(kMagic)
        .i64(cdp::milliseconds_of(progress.began))
        .i64(cdp::milliseconds_of(progress.through))
        .u64(progress.next)
        .u64(progress.last);
    for (std::size_t i = 0; i < damaged; ++i) out.u64(progress.damaged[i]);
    return with_digest(out.take());
}

// One that cannot be read is no reason for anything but to begin anew.
void Scrubber::load() {
    const auto record = read_record(path_);
    if (!record) return;
    cdp::ByteReader in(*record);
    in.raw(kMagic.size());
    Progress progress;
    progress.began = cdp::timestamp_of(in.i64());
    progress.through = cdp::timestamp_of(in.i64());
    progress.next = in.u64();
    progress.last = in.u64();
    // One of before the damaged were kept ends here.
    if (!record->starts_with(render(progress, 0))) {
        for (auto& number : progress.damaged) number = in.u64();
        if (*record != render(progress, progress.damaged.size())) return;
    }
    progress_ = progress;
    const std::lock_guard lock(mutex_);
    seen_.through = progress.through;
    damaged_.insert(progress.damaged.begin(), std::ranges::find(progress.damaged, 0U));
}

void Scrubber::save() {
    {
        const std::lock_guard lock(mutex_);
        progress_.damaged = {};
        const auto kept = std::min(damaged_.size(), progress_.damaged.size());
        std::copy_n(damaged_.begin(), kept, progress_.damaged.begin());
    }
    const auto written = write_record(path_, render(progress_, progress_.damaged.size()));
    if (!written) complain("scrub_not_noted", written.error().detail);
}

void Scrubber::begin(const ScrubPace& pace) {
    if (pace.cycle.count() == 0 || beat_) return;
    pace_ = pace;
    load();
    forget_all_but(tables_());
    beat_ = std::make_unique<Beat>([this](Beat& beat) { return step(beat); });
}

Scrubber::Seen Scrubber::seen() const {
    const std::lock_guard lock(mutex_);
    auto seen = seen_;
    seen.damaged = damaged_.size();
    return seen;
}

std::chrono::milliseconds Scrubber::step(Beat& beat) {
    const auto now = machine_time().clock;
    const auto since = now - progress_.began;
    const bool rests = progress_.next == 0 && since.count() >= 0 && since < pace_.cycle;
    if (rests) return std::min(kLookMost, std::chrono::milliseconds{pace_.cycle} - since);
    if (progress_.next == 0) progress_ = {.began = now, .through = progress_.through, .next = 1};
    const auto went = run(beat);
    if (went != Went::through)
        return went == Went::later ? pace_.again : std::chrono::milliseconds{0};
    progress_.next = 0;
    progress_.through = machine_time().clock;
    save();
    const std::lock_guard lock(mutex_);
    seen_.through = progress_.through;
    return std::chrono::milliseconds{1};
}

Scrubber::Went Scrubber::run(Beat& beat) {
    const auto tables = tables_();
    forget_all_but(tables);
    if (progress_.last == 0 && !tables.empty()) progress_.last = tables.back().number;
    const auto half =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(pace_.cycle.count()) / 2);
    const auto speed = std::max(pace_.bytes_per_second, bytes_of(tables) / half);
    auto saved = std::chrono::steady_clock::now();
    for (const auto& table : tables) {
        if (table.number < progress_.next) continue;
        if (table.number > progress_.last) break;
        const auto found = look_at(beat, table, speed);
        if (found == Found::later) return Went::later;
        if (found == Found::stopped) {
            save();
            return Went::stopped;
        }
        note(table, found);
        progress_.next = table.number + 1;
        const bool due = std::chrono::steady_clock::now() >= saved + kSaveEvery;
        if (!due && found != Found::damaged) continue;
        save();
        saved = std::chrono::steady_clock::now();
    }
    return Went::through;
}

Scrubber::Found Scrubber::look_at(Beat& beat, const TableFile& table, std::uint64_t speed) const {
    const Descriptor file(::open(table.path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.ok()) return hold_against(beat, table, file.number(), speed);
    // That there are too many open says nothing of this one.
    const int why = errno;
    if (why == EMFILE || why == ENFILE || why == ENOMEM || why == EINTR) return Found::later;
    // Whatever else: who needs it cannot open it either.
    if (why != ENOENT) return Found::damaged;
    const auto now = tables_();
    const bool there = std::ranges::find(now, table.number, &TableFile::number) != now.end();
    return there ? Found::damaged : Found::gone;
}

Scrubber::Found Scrubber::hold_against(Beat& beat, const TableFile& table, int file,
                                       std::uint64_t speed) const {
    const auto checksum =
        rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({});
    const std::chrono::milliseconds pause{kPiece * 1'000 / std::max<std::uint64_t>(speed, 1)};
    std::string piece(kPiece, '\0');
    for (off_t at = 0;;) {
        // What the disk holds is asked for, not what memory has of it.
        ::posix_fadvise(file, at, static_cast<off_t>(kPiece), POSIX_FADV_DONTNEED);
        const auto n = ::pread(file, piece.data(), piece.size(), at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == ENOMEM ? Found::later : Found::damaged;
        if (n == 0) break;
        checksum->Update(piece.data(), static_cast<std::size_t>(n));
        at += n;
        if (!beat.pause(pause)) return Found::stopped;
    }
    checksum->Finalize();
    const bool same = table.checksum.empty() || checksum->GetChecksum() == table.checksum;
    return same ? Found::whole : Found::damaged;
}

void Scrubber::note(const TableFile& table, Found found) {
    if (found == Found::damaged) complain("table_damaged", table.path);
    const std::lock_guard lock(mutex_);
    if (found == Found::gone) return;
    ++seen_.tables;
    seen_.bytes += table.bytes;
    if (found == Found::damaged)
        damaged_.insert(table.number);
    else
        damaged_.erase(table.number);
}

void Scrubber::forget_all_but(std::span<const TableFile> tables) {
    const std::lock_guard lock(mutex_);
    std::erase_if(damaged_, [&](std::uint64_t number) {
        return std::ranges::find(tables, number, &TableFile::number) == tables.end();
    });
}

}  // namespace storage
