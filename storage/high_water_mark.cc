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

constexpr std::string_view kMagic = "cdpmark1";
constexpr std::size_t kMarkBytes = 8 + 8 + crypto_generichash_BYTES_MIN;

std::string render(std::uint64_t sequence) {
    auto text = cdp::ByteWriter().raw(kMagic).u64(sequence).take();
    std::array<unsigned char, crypto_generichash_BYTES_MIN> check;
    crypto_generichash(check.data(), check.size(),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr,
                       0);
    return text.append(reinterpret_cast<const char*>(check.data()), check.size());
}

cdp::Error damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "mark_damaged",
            .message =
                "The high-water mark is missing or damaged, so nobody can tell whether the "
                "database is whole.",
            .detail = std::move(detail)};
}

// In place: 32 bytes at the start of a file lie in one sector, which a disk writes whole.
cdp::Result<void> overwrite(int descriptor, std::uint64_t sequence) {
    const auto text = render(sequence);
    const auto n = ::pwrite(descriptor, text.data(), text.size(), 0);
    if (n != static_cast<ssize_t>(text.size()))
        return system_error("write mark", n < 0 ? errno : EIO);
    if (::fdatasync(descriptor) != 0) return system_error("fdatasync mark", errno);
    return cdp::Result<void>::ok();
}

}  // namespace

cdp::Result<void> HighWaterMark::create(const std::string& path, std::uint64_t sequence) {
    CDP_ASSERT(sodium_init() >= 0);
    return write_new_file(path, render(sequence));
}

cdp::Result<std::uint64_t> HighWaterMark::read(const std::string& path) {
    CDP_ASSERT(sodium_init() >= 0);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok() && errno == ENOENT) return damaged(path + " is missing");
    if (!file.ok()) return system_error("open " + path, errno);
    const auto text = CDP_TRY(read_all(file.number(), 4096));
    cdp::ByteReader in(text);
    in.raw(kMagic.size());
    const auto sequence = in.u64();
    if (text.size() != kMarkBytes || text != render(sequence)) return damaged(path);
    return sequence;
}

cdp::Result<std::unique_ptr<HighWaterMark>> HighWaterMark::keep(const std::string& path,
                                                                std::uint64_t sequence) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return system_error("open " + path, errno);
    return std::unique_ptr<HighWaterMark>(new HighWaterMark(descriptor, sequence));
}

HighWaterMark::HighWaterMark(int descriptor, std::uint64_t sequence)
    : file_(descriptor), reached_(sequence), written_(sequence), thread_([this] { run(); }) {}

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

void HighWaterMark::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [&] { return stopping_ || reached_ != written_; });
        if (reached_ != written_) {
            const auto sequence = reached_;
            lock.unlock();
            const auto wrote = overwrite(file_.number(), sequence);
            lock.lock();
            // A mark that is too low is safe; the next second tries again.
            if (wrote)
                written_ = sequence;
            else
                cdp::log::write(cdp::log::Level::error, "mark_not_written",
                                {{"detail", cdp::log::safe(wrote.error().detail)}});
            if (!wrote && stopping_) return;
        }
        if (stopping_ && reached_ == written_) return;
        wake_.wait_for(lock, 1s, [&] { return stopping_; });
    }
}

}  // namespace storage
