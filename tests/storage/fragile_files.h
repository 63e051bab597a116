#pragma once

#include <rocksdb/file_system.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/random.h"

namespace tests {

// RocksDB's files on a disk that loses power: what was written and not synced, and what was made,
// renamed or removed in a folder that was not synced after it, is gone, or there in part.
//
// The bytes lie in a real folder, where whoever reads sees all of them, as from a page cache. What
// the disk would have of them is known here; `lose` leaves that. One folder; one life of a
// database.
class FragileFiles final : public rocksdb::FileSystemWrapper {
public:
    // What a disk does that it need not do.
    struct Habits {
        bool zeros = false;  // of a file it may know the length and not the bytes
        // Says that it has synced, and has not.
        bool forgets_files = false;
        bool forgets_folders = false;
    };
    struct Lost {
        std::uint64_t bytes = 0;
        std::uint64_t names = 0;  // made, renamed or removed in vain
    };

    // `grave` is a folder beside the database's, for what may have to come back.
    FragileFiles(std::uint64_t seed, std::string grave, Habits habits);
    const char* Name() const override { return "cdp.fragile_files"; }

    // The power goes instead of the `changes`th change; nothing changes after it. `at_once` is
    // called then, by whoever was about to make it.
    void cut_after(std::uint64_t changes, std::function<void()> at_once);
    bool is_cut();

    // Somebody else has synced so much of a file.
    void know_synced(const std::string& path, std::uint64_t bytes);

    // When nobody uses the files any more: they are as the disk has them.
    Lost lose();

    rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                   std::unique_ptr<rocksdb::FSDirectory>* folder,
                                   rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                                 const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override;
    rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* debug) override;

    // Changes that a database of ours never makes, so they have no rule here.
    rocksdb::IOStatus ReopenWritableFile(const std::string&, const rocksdb::FileOptions&,
                                         std::unique_ptr<rocksdb::FSWritableFile>*,
                                         rocksdb::IODebugContext*) override {
        return unknown();
    }
    rocksdb::IOStatus ReuseWritableFile(const std::string&, const std::string&,
                                        const rocksdb::FileOptions&,
                                        std::unique_ptr<rocksdb::FSWritableFile>*,
                                        rocksdb::IODebugContext*) override {
        return unknown();
    }
    rocksdb::IOStatus NewRandomRWFile(const std::string&, const rocksdb::FileOptions&,
                                      std::unique_ptr<rocksdb::FSRandomRWFile>*,
                                      rocksdb::IODebugContext*) override {
        return unknown();
    }
    rocksdb::IOStatus LinkFile(const std::string&, const std::string&, const rocksdb::IOOptions&,
                               rocksdb::IODebugContext*) override {
        return unknown();
    }
    rocksdb::IOStatus Truncate(const std::string&, std::size_t, const rocksdb::IOOptions&,
                               rocksdb::IODebugContext*) override {
        return unknown();
    }

private:
    static rocksdb::IOStatus unknown() { return rocksdb::IOStatus::NotSupported("no rule"); }

    friend class FragileFile;
    friend class FragileFolder;

    struct Bytes {
        std::uint64_t size = 0;
        std::uint64_t synced = 0;
    };
    enum class Act { made, renamed, removed };
    struct Entry {
        Act act;
        std::string path;
        std::string from = {};
        std::string buried = {};  // where what it took the place of lies
        std::shared_ptr<Bytes> was = {};
    };

    // `change` while there is power.
    template <typename Change>
    rocksdb::IOStatus with_power(Change change);
    std::string bury(const std::string& path);
    void settle_entries();
    void undo(const Entry& entry);
    std::uint64_t lose_bytes(const std::string& path, const Bytes& bytes);

    const std::filesystem::path grave_;
    const Habits habits_;
    std::mutex mutex_;
    cdp::Random random_;
    bool cut_ = false;
    std::uint64_t left_ = 0;  // changes until the power goes; 0: it does not
    std::function<void()> at_once_;
    std::map<std::string, std::shared_ptr<Bytes>> files_;  // that were made in this life
    std::vector<Entry> entries_;                           // since the folder was synced
    std::uint64_t buried_ = 0;
};

template <typename Change>
rocksdb::IOStatus FragileFiles::with_power(Change change) {
    const std::lock_guard lock(mutex_);
    if (!cut_ && left_ != 0 && --left_ == 0) {
        cut_ = true;
        if (at_once_) at_once_();
    }
    if (cut_) return rocksdb::IOStatus::IOError("the power is gone");
    return change();
}

class FragileFile final : public rocksdb::FSWritableFileOwnerWrapper {
public:
    FragileFile(FragileFiles& files, std::shared_ptr<FragileFiles::Bytes> bytes,
                std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileOwnerWrapper(std::move(file)), files_(files), bytes_(std::move(bytes)) {}

    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override {
        return files_.with_power([&] {
            auto status = FSWritableFileOwnerWrapper::Append(data, options, debug);
            if (status.ok()) bytes_->size += data.size();
            return status;
        });
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo&,
                             rocksdb::IODebugContext* debug) override {
        return Append(data, options, debug);
    }
    rocksdb::IOStatus PositionedAppend(const rocksdb::Slice&, std::uint64_t,
                                       const rocksdb::IOOptions&,
                                       rocksdb::IODebugContext*) override {
        return rocksdb::IOStatus::NotSupported();
    }
    rocksdb::IOStatus PositionedAppend(const rocksdb::Slice&, std::uint64_t,
                                       const rocksdb::IOOptions&,
                                       const rocksdb::DataVerificationInfo&,
                                       rocksdb::IODebugContext*) override {
        return rocksdb::IOStatus::NotSupported();
    }
    rocksdb::IOStatus Truncate(std::uint64_t size, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override {
        return files_.with_power([&] {
            auto status = FSWritableFileOwnerWrapper::Truncate(size, options, debug);
            if (status.ok()) *bytes_ = {.size = size, .synced = std::min(bytes_->synced, size)};
            return status;
        });
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
        return files_.with_power([&] {
            if (!files_.habits_.forgets_files) bytes_->synced = bytes_->size;
            return rocksdb::IOStatus::OK();
        });
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
        return Sync(options, debug);
    }
    // Begins to write, and promises nothing.
    rocksdb::IOStatus RangeSync(std::uint64_t, std::uint64_t, const rocksdb::IOOptions&,
                                rocksdb::IODebugContext*) override {
        return rocksdb::IOStatus::OK();
    }

private:
    FragileFiles& files_;
    const std::shared_ptr<FragileFiles::Bytes> bytes_;
};

class FragileFolder final : public rocksdb::FSDirectoryWrapper {
public:
    FragileFolder(FragileFiles& files, std::unique_ptr<rocksdb::FSDirectory> folder)
        : FSDirectoryWrapper(std::move(folder)), files_(files) {}

    rocksdb::IOStatus Fsync(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
        return files_.with_power([&] {
            if (!files_.habits_.forgets_folders) files_.settle_entries();
            return rocksdb::IOStatus::OK();
        });
    }
    rocksdb::IOStatus FsyncWithDirOptions(const rocksdb::IOOptions& options,
                                          rocksdb::IODebugContext* debug,
                                          const rocksdb::DirFsyncOptions&) override {
        return Fsync(options, debug);
    }

private:
    FragileFiles& files_;
};

inline FragileFiles::FragileFiles(std::uint64_t seed, std::string grave, Habits habits)
    : FileSystemWrapper(rocksdb::FileSystem::Default()),
      grave_(std::move(grave)),
      habits_(habits),
      random_(seed) {
    std::filesystem::remove_all(grave_);
    std::filesystem::create_directory(grave_);
}

inline void FragileFiles::cut_after(std::uint64_t changes, std::function<void()> at_once) {
    const std::lock_guard lock(mutex_);
    left_ = changes;
    at_once_ = std::move(at_once);
}

inline bool FragileFiles::is_cut() {
    const std::lock_guard lock(mutex_);
    return cut_;
}

inline void FragileFiles::know_synced(const std::string& path, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(path);
    if (found == files_.end() || !found->second || habits_.forgets_files) return;
    auto& known = *found->second;
    known.synced = std::clamp(bytes, known.synced, known.size);
}

inline rocksdb::IOStatus FragileFiles::NewWritableFile(
    const std::string& path, const rocksdb::FileOptions& options,
    std::unique_ptr<rocksdb::FSWritableFile>* file, rocksdb::IODebugContext* debug) {
    return with_power([&] {
        if (std::filesystem::exists(path))
            entries_.push_back({Act::removed, path, {}, bury(path), files_[path]});
        std::unique_ptr<rocksdb::FSWritableFile> real;
        auto status = target()->NewWritableFile(path, options, &real, debug);
        if (!status.ok()) return status;
        const auto bytes = files_[path] = std::make_shared<Bytes>();
        entries_.push_back({Act::made, path});
        *file = std::make_unique<FragileFile>(*this, bytes, std::move(real));
        return status;
    });
}

inline rocksdb::IOStatus FragileFiles::NewDirectory(const std::string& path,
                                                    const rocksdb::IOOptions& options,
                                                    std::unique_ptr<rocksdb::FSDirectory>* folder,
                                                    rocksdb::IODebugContext* debug) {
    std::unique_ptr<rocksdb::FSDirectory> real;
    auto status = target()->NewDirectory(path, options, &real, debug);
    if (status.ok()) *folder = std::make_unique<FragileFolder>(*this, std::move(real));
    return status;
}

inline rocksdb::IOStatus FragileFiles::RenameFile(const std::string& from, const std::string& to,
                                                  const rocksdb::IOOptions& options,
                                                  rocksdb::IODebugContext* debug) {
    return with_power([&] {
        Entry entry{Act::renamed, to, from, {}, files_[to]};
        if (std::filesystem::exists(to)) entry.buried = bury(to);
        auto status = target()->RenameFile(from, to, options, debug);
        if (!status.ok()) return status;
        files_[to] = files_[from];
        files_.erase(from);
        entries_.push_back(std::move(entry));
        return status;
    });
}

inline rocksdb::IOStatus FragileFiles::DeleteFile(const std::string& path,
                                                  const rocksdb::IOOptions&,
                                                  rocksdb::IODebugContext*) {
    return with_power([&] {
        if (!std::filesystem::exists(path)) return rocksdb::IOStatus::PathNotFound(path);
        entries_.push_back({Act::removed, path, {}, bury(path), files_[path]});
        files_.erase(path);
        return rocksdb::IOStatus::OK();
    });
}

inline std::string FragileFiles::bury(const std::string& path) {
    const auto at = grave_ / std::to_string(buried_++);
    std::filesystem::rename(path, at);
    return at;
}

inline void FragileFiles::settle_entries() {
    for (const auto& entry : entries_)
        if (!entry.buried.empty()) std::filesystem::remove(entry.buried);
    entries_.clear();
}

inline void FragileFiles::undo(const Entry& entry) {
    if (entry.act == Act::made) std::filesystem::remove(entry.path);
    if (entry.act == Act::renamed) {
        std::filesystem::rename(entry.path, entry.from);
        files_[entry.from] = files_[entry.path];
    }
    files_.erase(entry.path);
    if (entry.buried.empty()) return;
    std::filesystem::rename(entry.buried, entry.path);
    files_[entry.path] = entry.was;
}

inline std::uint64_t FragileFiles::lose_bytes(const std::string& path, const Bytes& bytes) {
    const auto unsynced = bytes.size - bytes.synced;
    const std::array<std::uint64_t, 3> some = {0, random_.below(unsynced + 1), unsynced};
    const auto kept = some[random_.below(some.size())];
    std::filesystem::resize_file(path, bytes.synced + kept);
    if (habits_.zeros && random_.one_in(4)) std::filesystem::resize_file(path, bytes.size);
    return unsynced - kept;
}

inline FragileFiles::Lost FragileFiles::lose() {
    const std::lock_guard lock(mutex_);
    cut_ = true;
    Lost lost;
    // A folder's changes reach a disk in their order.
    const auto kept = random_.one_in(2) ? 0 : random_.below(entries_.size() + 1);
    while (entries_.size() > kept) {
        undo(entries_.back());
        entries_.pop_back();
        ++lost.names;
    }
    settle_entries();
    for (const auto& [path, bytes] : files_)
        if (bytes && bytes->synced < bytes->size) lost.bytes += lose_bytes(path, *bytes);
    return lost;
}

}  // namespace tests
