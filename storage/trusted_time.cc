#include "storage/trusted_time.h"

#include <sys/timex.h>
#include <time.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/base/log.h"
#include "storage/database_files.h"
#include "storage/record_file.h"

namespace storage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "cdptime1";
// The file follows as often; what a kill -9 takes is less than a leap by far.
constexpr std::chrono::minutes kBehind{10};
constexpr std::chrono::seconds kSameClock{5};

std::string render(cdp::Timestamp trusted) {
    return with_digest(cdp::ByteWriter().raw(kMagic).i64(cdp::milliseconds_of(trusted)).take());
}

std::optional<cdp::Timestamp> parse(std::string_view record) {
    cdp::ByteReader in(record);
    in.raw(kMagic.size());
    const auto trusted = cdp::timestamp_of(in.i64());
    if (record != render(trusted)) return std::nullopt;
    return trusted;
}

std::optional<cdp::Timestamp> read(const std::string& path) {
    const auto record = read_record(path);
    if (!record && record.error().reason == "no_record") return std::nullopt;
    auto trusted = record ? parse(*record) : std::nullopt;
    if (!trusted)
        cdp::log::write(cdp::log::Level::warning, "time_unreadable",
                        {{"detail", cdp::log::safe(record ? path : record.error().detail)}});
    return trusted;
}

std::optional<cdp::Timestamp> newest_in(const std::string& folder) {
    std::optional<cdp::Timestamp> newest;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const auto written = at->last_write_time(error);
        if (error) break;
        const auto time =
            std::chrono::floor<std::chrono::milliseconds>(std::chrono::file_clock::to_sys(written));
        newest = std::max(newest.value_or(time), time);
    }
    return newest;
}

void tell(const TrustedTime::Standing& standing) {
    if (standing.believed)
        return cdp::log::write(cdp::log::Level::info, "clock_believed",
                               {{"trusted", cdp::log::safe(cdp::format_time(standing.trusted))}});
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(standing.ahead());
    cdp::log::write(cdp::log::Level::warning, "clock_not_believed",
                    {{"hours_ahead", std::int64_t{hours.count()}},
                     {"trusted", cdp::log::safe(cdp::format_time(standing.trusted))}});
}

void complain(const cdp::Result<void>& written) {
    if (!written)
        cdp::log::write(cdp::log::Level::error, "time_not_written",
                        {{"detail", cdp::log::safe(written.error().detail)}});
}

}  // namespace

MachineTime machine_time() {
    timespec running{};
    ::clock_gettime(CLOCK_BOOTTIME, &running);
    return {
        .clock = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()),
        .running =
            std::chrono::milliseconds{running.tv_sec * 1'000LL + running.tv_nsec / 1'000'000}};
}

bool clock_is_kept() {
    timex kernel{};
    const int state = ::adjtimex(&kernel);
    if (state < 0 || state == TIME_ERROR || (kernel.status & STA_UNSYNC) != 0) return false;
    const cdp::Timestamp time{std::chrono::seconds{kernel.time.tv_sec}};
    return std::chrono::abs(machine_time().clock - time) <= kSameClock;
}

std::unique_ptr<TrustedTime> TrustedTime::keep(const std::string& path, const std::string& folder) {
    return keep(path, folder, Machine{});
}

std::unique_ptr<TrustedTime> TrustedTime::keep(const std::string& path, const std::string& folder,
                                               Machine machine) {
    auto began = read(path);
    if (!began) began = newest_in(folder);
    const auto since = began.value_or(machine.time().clock);
    return std::unique_ptr<TrustedTime>(new TrustedTime(path, since, std::move(machine)));
}

TrustedTime::TrustedTime(std::string path, cdp::Timestamp began, Machine machine)
    : path_(std::move(path)),
      machine_(std::move(machine)),
      trust_(began),
      seen_(machine_.time().running),
      beat_([this](Beat&) { return watch(); }) {}

TrustedTime::~TrustedTime() {
    complain(write(/*always=*/true));
}

TrustedTime::Standing TrustedTime::standing() {
    const std::lock_guard lock(mutex_);
    return look(kept_);
}

cdp::Timestamp TrustedTime::earliest() {
    const auto now = standing();
    return std::min(now.clock, now.trusted);
}

cdp::Result<TrustedTime::Standing> TrustedTime::accept() {
    const auto before = standing();
    {
        const std::lock_guard lock(mutex_);
        trust_.accept(machine_.time().clock);
    }
    const auto after = standing();
    CDP_CHECK(write(/*always=*/true));
    const auto by =
        std::chrono::duration_cast<std::chrono::seconds>(after.trusted - before.trusted);
    cdp::log::write(cdp::log::Level::warning, "clock_accepted",
                    {{"seconds", std::int64_t{by.count()}}});
    return after;
}

TrustedTime::Standing TrustedTime::look(bool kept) {
    const auto time = machine_.time();
    trust_.look({.clock = time.clock, .passed = time.running - seen_, .vouched = kept});
    seen_ = time.running;
    return {.clock = time.clock, .trusted = trust_.trusted(), .believed = trust_.believed()};
}

std::chrono::milliseconds TrustedTime::watch() {
    const bool kept = machine_.kept();
    Standing now;
    {
        const std::lock_guard lock(mutex_);
        now = look(kept_ && kept);
        kept_ = kept;
    }
    if (now.believed == told_) {
        told_ = !now.believed;
        tell(now);
    }
    complain(write(/*always=*/false));
    return machine_.every;
}

// Reads it while it has the file: of two who write, the later never writes what was before.
cdp::Result<void> TrustedTime::write(bool always) {
    const std::lock_guard lock(file_);
    const auto trusted = standing().trusted;
    const bool close = trusted >= written_ && trusted < written_ + kBehind;
    if (close && !always) return cdp::Result<void>::ok();
    CDP_CHECK(write_record(path_, render(trusted)));
    written_ = trusted;
    return cdp::Result<void>::ok();
}

TrustedTime* trusted_time_of(const Store& store) {
    const auto* files = dynamic_cast<const DatabaseFiles*>(&store);
    return files ? files->time() : nullptr;
}

std::chrono::milliseconds clock_skew(const Store& store) {
    auto* time = trusted_time_of(store);
    if (!time) return std::chrono::milliseconds{0};
    const auto now = time->standing();
    return now.trusted - now.clock;
}

cdp::Timestamp earliest_time(const Store& store, cdp::Timestamp now) {
    return now + std::min(clock_skew(store), std::chrono::milliseconds{0});
}

}  // namespace storage
