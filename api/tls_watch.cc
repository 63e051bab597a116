#include <sys/stat.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "api/tls.h"
#include "cdp/base/log.h"

namespace api {
namespace {

// What changes when a file does, also one behind a link.
struct Look {
    dev_t device = 0;
    ino_t number = 0;
    off_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    // Of its owner and mode too.
    std::int64_t changed_seconds = 0;
    std::int64_t changed_nanoseconds = 0;

    friend bool operator==(const Look&, const Look&) = default;
};

Look look_at(const std::string& path) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev,         status.st_ino,          status.st_size,
            status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
            status.st_ctim.tv_nsec};
}

}  // namespace

struct TlsWatch::Parts {
    using Looks = std::array<Look, 2>;

    Parts(const TlsFiles& files_in, const cdp::Clock& clock_in, TlsPair pair_in)
        : files(files_in), clock(clock_in), pair(std::move(pair_in)) {}

    Looks look() const { return {look_at(files.certificate), look_at(files.key)}; }
    void run(std::chrono::milliseconds every, Looks seen);
    void read(bool anew);

    const TlsFiles files;
    const cdp::Clock& clock;
    std::mutex mutex;  // guards what follows
    std::condition_variable woken;
    bool asked = false;
    bool stopping = false;
    TlsPair pair;
    std::uint64_t refused = 0;
    std::string refused_for;  // why the pair that is there is not served; empty: it is
    std::thread thread;
};

void TlsWatch::Parts::run(std::chrono::milliseconds every, Looks seen) {
    std::unique_lock lock(mutex);
    while (!stopping) {
        woken.wait_for(lock, every, [this] { return asked || stopping; });
        if (stopping) return;
        const bool told = std::exchange(asked, false);
        const bool refused_last = !refused_for.empty();
        lock.unlock();
        // Before they are read: what changes meanwhile is seen the next time.
        const auto now = look();
        const bool anew = told || now != seen;
        // What was refused may be good by now as it is: its time has come.
        if (anew || refused_last) read(anew);
        seen = now;
        lock.lock();
    }
}

void TlsWatch::Parts::read(bool anew) {
    auto read = read_tls_pair(files, clock.now());
    const std::lock_guard lock(mutex);
    if (read) {
        pair = *std::move(read);
        refused_for.clear();
        cdp::log::write(cdp::log::Level::info, "tls_certificate_read",
                        {{"expires", cdp::log::safe(cdp::format_time(pair.expires))}});
        return;
    }
    // The same pair refused for the same reason was told before.
    if (std::exchange(refused_for, read.error().reason) == read.error().reason && !anew) return;
    ++refused;
    cdp::log::write(cdp::log::Level::warning, "tls_certificate_kept",
                    {{"reason", cdp::log::safe(read.error().reason)},
                     {"detail", cdp::log::safe(read.error().message)}});
}

TlsWatch::TlsWatch(const TlsFiles& files, const cdp::Clock& clock, TlsPair pair)
    : parts_(std::make_unique<Parts>(files, clock, std::move(pair))) {}

cdp::Result<std::unique_ptr<TlsWatch>> TlsWatch::start(const TlsFiles& files,
                                                       const cdp::Clock& clock,
                                                       std::chrono::milliseconds look_every) {
    const Parts::Looks seen{look_at(files.certificate), look_at(files.key)};
    auto pair = CDP_TRY(read_tls_pair(files, clock.now()));
    std::unique_ptr<TlsWatch> watch(new TlsWatch(files, clock, std::move(pair)));
    auto& parts = *watch->parts_;
    parts.thread = std::thread([&parts, look_every, seen] { parts.run(look_every, seen); });
    return watch;
}

TlsWatch::~TlsWatch() {
    {
        const std::lock_guard lock(parts_->mutex);
        parts_->stopping = true;
        parts_->woken.notify_all();
    }
    if (parts_->thread.joinable()) parts_->thread.join();
}

TlsContext TlsWatch::context() const {
    const std::lock_guard lock(parts_->mutex);
    return parts_->pair.context;
}

void TlsWatch::look_now() {
    const std::lock_guard lock(parts_->mutex);
    parts_->asked = true;
    parts_->woken.notify_all();
}

TlsWatch::Status TlsWatch::status() const {
    const std::lock_guard lock(parts_->mutex);
    return {.left = std::chrono::floor<std::chrono::seconds>(parts_->pair.expires -
                                                             parts_->clock.now()),
            .refused = parts_->refused};
}

}  // namespace api
