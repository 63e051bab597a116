#include "storage/high_water_mark.h"

#include <fcntl.h>

#include <cerrno>
#include <chrono>

#include "cdp/base/bytes.h"
#include "cdp/base/crash_point.h"
#include "cdp/base/log.h"
#include "storage/record_file.h"

namespace storage {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMagic = "cdpmark2";
constexpr std::string_view kEarlierMagic = "cdpmark1";
// How often the MANIFEST is looked at after a commit, once a second: tables are written behind it.
constexpr int kLooks = 10;

std::string render(const HighWaterMark::Mark& mark) {
    auto digest = mark.manifest.digest;
    digest.resize(kRecordDigestBytes);
    return with_digest(cdp::ByteWriter()
                           .raw(kMagic)
                           .u64(mark.sequence)
                           .u64(mark.manifest.number)
                           .u64(mark.manifest.bytes)
                           .raw(digest)
                           .take());
}

cdp::Error damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "mark_damaged",
            .message =
                "The high-water mark is missing or damaged, so nobody can tell whether the "
                "database is whole.",
            .detail = std::move(detail)};
}

}  // namespace

cdp::Result<void> HighWaterMark::create(const std::string& path, std::uint64_t sequence) {
    return write_new_file(path, render({.sequence = sequence}));
}

cdp::Result<HighWaterMark::Mark> HighWaterMark::read(const std::string& path) {
    auto found = read_record(path);
    if (!found && found.error().reason == "no_record") return damaged(found.error().detail);
    const auto text = CDP_TRY(std::move(found));
    cdp::ByteReader in(text);
    in.raw(kMagic.size());
    Mark mark{.sequence = in.u64()};
    if (text.starts_with(kEarlierMagic)) {
        const auto whole = cdp::ByteWriter().raw(kEarlierMagic).u64(mark.sequence).take();
        if (text != with_digest(whole)) return damaged(path);
        return mark;
    }
    mark.manifest.number = in.u64();
    mark.manifest.bytes = in.u64();
    mark.manifest.digest = in.raw(kRecordDigestBytes);
    if (text != render(mark)) return damaged(path);
    return mark;
}

cdp::Result<std::unique_ptr<HighWaterMark>> HighWaterMark::keep(const std::string& path,
                                                                const std::string& folder,
                                                                Mark mark) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return system_error("open " + path, errno);
    return std::unique_ptr<HighWaterMark>(new HighWaterMark(descriptor, folder, std::move(mark)));
}

HighWaterMark::HighWaterMark(int descriptor, std::string folder, Mark mark)
    : file_(descriptor),
      folder_(std::move(folder)),
      synced_(mark),
      noted_(std::move(mark)),
      reached_(noted_.sequence),
      written_(noted_.sequence),
      thread_([this] { run(); }) {}

HighWaterMark::~HighWaterMark() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void HighWaterMark::raise(std::uint64_t sequence) {
    {
        const std::lock_guard lock(file_mutex_);
        noted_.sequence = sequence;
        // What fails here fails the thread too, which says so.
        (void)write_locked();
    }
    bool sleeps = false;
    {
        const std::lock_guard lock(mutex_);
        sleeps = reached_ == written_;
        reached_ = sequence;
    }
    if (sleeps) wake_.notify_one();
}

cdp::Result<void> HighWaterMark::write_locked() {
    return overwrite_record(file_.number(), "mark", render(noted_));
}

cdp::Result<void> HighWaterMark::write_down() {
    // One that is about to take another's place is there the next time.
    auto manifest = look_at_manifest(folder_, synced_.manifest);
    Mark mark;
    {
        const std::lock_guard lock(file_mutex_);
        if (manifest) noted_.manifest = *std::move(manifest);
        mark = noted_;
        if (mark.sequence == synced_.sequence && mark.manifest == synced_.manifest)
            return cdp::Result<void>::ok();
        cdp::crash_point("before_mark");
        CDP_CHECK(write_locked());
    }
    CDP_CHECK(sync_record(file_.number(), "mark"));
    synced_ = std::move(mark);
    return cdp::Result<void>::ok();
}

void HighWaterMark::run() {
    int looks = 1;  // what an open has written
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || reached_ != written_ || looks > 0; });
        const bool last = stopping_;
        const auto sequence = reached_;
        looks = sequence != written_ ? kLooks : looks - 1;
        lock.unlock();
        const auto wrote = write_down();
        lock.lock();
        // A mark that is too low is safe; the next second tries again.
        if (wrote)
            written_ = sequence;
        else
            cdp::log::write(cdp::log::Level::error, "mark_not_written",
                            {{"detail", cdp::log::safe(wrote.error().detail)}});
        if (last) return;
        wake_.wait_for(lock, 1s, [&] { return stopping_; });
    }
}

}  // namespace storage
