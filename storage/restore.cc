#include "storage/restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <thread>

#include "cdp/base/crash_point.h"
#include "storage/backup_keys.h"
#include "storage/data_dir.h"
#include "storage/epochs.h"
#include "storage/file.h"
#include "storage/high_water_mark.h"
#include "storage/rocks_store.h"

namespace storage {
namespace {

// Opening a piece costs more than writing it.
constexpr std::size_t kThreads = 2;

cdp::Result<void> write_file(const BackupRepo& repo, const BackupManifest::File& file,
                             const std::string& path, const BytesDone& report) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const Descriptor out(::open(path.c_str(), kFlags, 0600));
    if (!out.ok()) return system_error("create " + path, errno);
    CDP_CHECK(repo.read_file(file, [&](std::string_view piece) -> cdp::Result<void> {
        if (!report(piece.size()))
            return cdp::Error{.code = cdp::ErrorCode::unavailable,
                              .reason = "stopping",
                              .message = "It was stopped."};
        return write_all(out.number(), piece);
    }));
    if (::fsync(out.number()) != 0) return system_error("fsync " + path, errno);
    return cdp::Result<void>::ok();
}

// All files, by a few threads; the first error ends them.
class Filling {
public:
    Filling(const FoundBackup& backup, std::string folder, const BytesDone& report)
        : backup_(backup), folder_(std::move(folder)), report_(report) {}

    cdp::Result<void> run() {
        std::array<std::jthread, kThreads> threads;
        for (auto& thread : threads) thread = std::jthread([this] { work(); });
        for (auto& thread : threads) thread.join();
        return outcome_;
    }

private:
    void work() {
        const auto& files = backup_.manifest.files;
        const BytesDone report = [this](std::uint64_t bytes) {
            const std::lock_guard lock(mutex_);
            return outcome_ && report_(bytes);
        };
        for (std::size_t i = next_++; i < files.size(); i = next_++) {
            auto written = write_file(backup_.repo, files[i], folder_ + files[i].name, report);
            const std::lock_guard lock(mutex_);
            if (!outcome_) return;
            if (!written) outcome_ = std::move(written);
        }
    }

    const FoundBackup& backup_;
    const std::string folder_;
    const BytesDone& report_;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;  // what follows, and a report at a time
    cdp::Result<void> outcome_ = cdp::Result<void>::ok();
};

}  // namespace

cdp::Result<void> check_readable(const BackupRepo& repo, const std::string& id,
                                 const Keyring& keyring) {
    const auto range = CDP_TRY(KeysReader::open(repo, id))->range();
    if (range.lowest < keyring.epochs.begin()->first)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "backup_unreadable",
                          .message =
                              "The backup's keys belong to an epoch that has ended: it could not "
                              "be reached then, and cannot be read any more.",
                          .detail = "epoch " + std::to_string(range.lowest)};
    if (range.highest > keyring.epochs.rbegin()->first)
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "keyring_epoch_missing",
                          .message = "The keyring is older than the backup.",
                          .detail = "epoch " + std::to_string(range.highest)};
    return cdp::Result<void>::ok();
}

cdp::Result<FoundBackup> find_backup(const std::string& from, const std::string& id,
                                     const Vault& vault, const Keyring& keyring) {
    auto repo = CDP_TRY(BackupRepo::open(from, vault, keyring.fingerprint));
    auto chosen = id;
    if (chosen.empty()) {
        const auto ids = CDP_TRY(repo.ids());
        if (!ids.empty()) chosen = ids.back();
    }
    auto manifest = CDP_TRY(repo.manifest(chosen));
    // Records that came later are as much needed: a backup made later says how many there are.
    std::uint64_t records = 0;
    for (const auto& one : CDP_TRY(repo.ids()))
        if (const auto other = repo.manifest(one)) records = std::max(records, other->erasures);
    auto erasures = CDP_TRY(repo.erasures(records));
    if (manifest.fingerprint != keyring.fingerprint) return backup_damaged(chosen);
    if (manifest.format != static_cast<std::uint32_t>(kFormat))
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "backup_older",
                          .message =
                              "The backup is of another format of data folders: restore it "
                              "with the cdp that made it.",
                          .detail = "format " + std::to_string(manifest.format)};
    CDP_CHECK(check_readable(repo, chosen, keyring));
    CDP_TRY(count_keys(repo, chosen));
    for (const auto& file : manifest.files) CDP_CHECK(repo.look_at(file));
    return FoundBackup{std::move(repo), std::move(manifest), std::move(erasures)};
}

cdp::Result<std::unique_ptr<Restoring>> Restoring::begin(const FoundBackup& backup,
                                                         const std::string& target,
                                                         const Keyring& keyring,
                                                         const BytesDone& report) {
    std::unique_ptr<Restoring> restoring(new Restoring(target, backup.manifest.format));
    CDP_CHECK(restoring->claim_.take(target));
    const RocksOptions options{.path = target + "/db", .mark_path = target + "/mark"};
    for (const char* name : {"/db", "/mark", "/FORMAT", "/journal", "/rebuild"})
        restoring->claim_.add(target + name);
    if (::mkdir(options.path.c_str(), 0700) != 0)
        return system_error("mkdir " + options.path, errno);
    CDP_CHECK(Filling(backup, options.path + "/", report).run());
    CDP_CHECK(sync_folder(options.path));
    CDP_CHECK(HighWaterMark::create(options.mark_path, backup.manifest.sequence));
    restoring->store_ = CDP_TRY(open_rocks_store(options));
    auto& store = *restoring->store_;
    CDP_CHECK(put_keys(store, backup.repo, backup.manifest.id));
    CDP_CHECK(check_epochs(keyring, *store.snapshot()));
    CDP_CHECK(adopt_epochs(store, keyring, {}));
    return restoring;
}

cdp::Result<void> Restoring::finish(const std::string& keyring_path,
                                    const std::string& fingerprint) {
    store_.reset();
    cdp::crash_point("before_format");
    CDP_CHECK(write_format(target_, static_cast<int>(format_), keyring_path, fingerprint));
    claim_.keep();
    return cdp::Result<void>::ok();
}

}  // namespace storage
