#include "storage/space_watch.h"

#include <fcntl.h>
#include <sys/statvfs.h>

#include <algorithm>

#include "cdp/base/log.h"
#include "storage/database_files.h"

namespace storage {
namespace {

constexpr std::chrono::seconds kEvery{1};
// A log, a few tables and what a compaction makes, each a file.
constexpr std::uint64_t kFilesKept = 200;

bool falls_short(std::uint64_t left, std::uint64_t kept, bool was_low) {
    return left < (was_low ? kept + kept / 4 : kept);
}

void tell(const Room& room) {
    cdp::log::write(room.low ? cdp::log::Level::warning : cdp::log::Level::info,
                    room.low ? "disk_low" : "disk_no_longer_low",
                    {{"megabytes", static_cast<std::int64_t>(room.bytes >> 20)},
                     {"megabytes_kept", static_cast<std::int64_t>(room.bytes_kept >> 20)},
                     {"files", static_cast<std::int64_t>(room.files)}});
}

}  // namespace

Room judged(Room room, bool was_low) {
    room.low = falls_short(room.bytes, room.bytes_kept, was_low) ||
               falls_short(room.files, room.files_kept, was_low);
    return room;
}

std::uint64_t part_of(std::uint64_t whole, unsigned percent) {
    return whole / 100 * percent + whole % 100 * percent / 100;
}

SpaceWatch::SpaceWatch(const std::string& folder)
    : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

void SpaceWatch::keep(const Reserve& reserve) {
    if (reserve.bytes == 0 || !folder_.ok() || beat_) return;
    reserve_ = reserve;
    look();
    beat_ = std::make_unique<Beat>([this](Beat&) {
        look();
        return kEvery;
    });
}

void SpaceWatch::look() {
    struct statvfs found{};
    // What cannot be asked stays as it was: that a disk fails is told by its writes.
    if (::fstatvfs(folder_.number(), &found) != 0) return;
    Room room{.bytes = found.f_bavail * found.f_frsize, .files = found.f_favail};
    room.bytes_kept =
        std::min(reserve_.bytes, part_of(found.f_blocks * found.f_frsize, reserve_.percent_max));
    // A file system without a fixed number of them says 0.
    room.files_kept = std::min(kFilesKept, part_of(found.f_files, reserve_.percent_max));
    room = judged(room, low());
    if (room.low != low()) tell(room);
    low_.store(room.low, std::memory_order_relaxed);
    const std::lock_guard lock(mutex_);
    room_ = room;
}

Room SpaceWatch::room() const {
    const std::lock_guard lock(mutex_);
    return room_;
}

bool low_on_space(const Store& store) {
    const auto* files = dynamic_cast<const DatabaseFiles*>(&store);
    return files && files->space().low();
}

}  // namespace storage
