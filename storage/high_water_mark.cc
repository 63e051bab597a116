#include "storage/high_water_mark.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "cdp/base/log.h"

namespace storage {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMagic = "cdpmark2";
constexpr std::string_view kEarlierMagic = "cdpmark1";
constexpr std::size_t kDigestBytes = crypto_generichash_BYTES_MIN;
// How often the MANIFEST is looked at after a commit, once a second: tables are written behind it.
constexpr int kLooks = 10;

std::string sealed(std::string text) {
    std::array<unsigned char, kDigestBytes> check;
    crypto_generichash(check.data(), check.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
    return text.append(reinterpret_cast<const char*>(check.data()), check.size());
}

std::string render(const HighWaterMark::Mark& mark) {
    auto digest = mark.manifest.digest;
    digest.resize(kDigestBytes);
    return sealed(cdp::ByteWriter()
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
    CDP_ASSERT(sodium_init() >= 0);
    return write_new_file(path, render({.sequence = sequence}));
}

cdp::Result<HighWaterMark::Mark> HighWaterMark::read(const std::string& path) {
    CDP_ASSERT(sodium_init() >= 0);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok() && errno == ENOENT) return damaged(path + " is missing");
    if (!file.ok()) return system_error("open " + path, errno);
    const auto text = CDP_TRY(read_all(file.number(), 4096));
    cdp::ByteReader in(text);
    in.raw(kMagic.size());
    Mark mark{.sequence = in.u64()};
    if (text.starts_with(kEarlierMagic)) {
        const auto whole = cdp::ByteWriter().raw(kEarlierMagic).u64(mark.sequence).take();
        if (text != sealed(whole)) return damaged(path);
        return mark;
    }
    mark.manifest.number = in.u64();
    mark.manifest.bytes = in.u64();
    mark.manifest.digest = in.raw(kDigestBytes);
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
    bool sleeps = false;
    {
        const std::lock_guard lock(mutex_);
        sleeps = reached_ == written_;
        reached_ = sequence;
    }
    if (sleeps) wake_.notify_one();
}

// In place: these bytes at the start of a file lie in one sector, which a disk writes whole.
cdp::Result<void> HighWaterMark::write(std::uint64_t sequence) {
    Mark mark{.sequence = sequence, .manifest = noted_.manifest};
    // One that is about to take another's place is there the next time.
    if (auto manifest = look_at_manifest(folder_, mark.manifest))
        mark.manifest = *std::move(manifest);
    if (mark.sequence == noted_.sequence && mark.manifest == noted_.manifest)
        return cdp::Result<void>::ok();
    const auto text = render(mark);
    const auto n = ::pwrite(file_.number(), text.data(), text.size(), 0);
    if (n != static_cast<ssize_t>(text.size()))
        return system_error("write mark", n < 0 ? errno : EIO);
    if (::fdatasync(file_.number()) != 0) return system_error("fdatasync mark", errno);
    noted_ = std::move(mark);
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
        const auto wrote = write(sequence);
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
