#include "storage/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include "cdp/base/assert.h"
#include "cdp/base/crash_point.h"
#include "storage/file.h"
#include "storage/journal_frame.h"

namespace storage {
namespace {

namespace fs = std::filesystem;

// More than anybody lets a segment grow to.
constexpr std::size_t kSegmentBytesMax = 1U << 30;

std::optional<std::uint64_t> number_of(const std::string& name) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size() || name != std::to_string(number))
        return std::nullopt;
    return number;
}

class FileJournal final : public Journal {
public:
    explicit FileJournal(std::string folder) : folder_(std::move(folder)) {}

    cdp::Result<void> start() {
        for (const auto segment : CDP_TRY(all())) start_after(segment);
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> append(std::span<const std::string> records) override {
        if (!file_) CDP_CHECK(make_file());
        frames_.clear();
        for (const auto& record : records) {
            CDP_ASSERT(!record.empty() && record.size() <= kJournalRecordMax);
            add_frame(frames_, record);
        }
        ssize_t n = 0;
        do n = ::write(file_->number(), frames_.data(), frames_.size());
        while (n < 0 && errno == EINTR);
        if (n == static_cast<ssize_t>(frames_.size())) {
            bytes_ += frames_.size();
            cdp::crash_point("journal_appended");
            return cdp::Result<void>::ok();
        }
        const auto error = system_error("append to the journal", n < 0 ? errno : ENOSPC);
        // Half a record would hide those behind it.
        if (n > 0 && ::ftruncate(file_->number(), static_cast<off_t>(bytes_)) != 0) leave();
        return error;
    }

    // One byte of a record that never comes, which who reads passes over.
    cdp::Result<void> try_writing() override {
        if (!file_) CDP_CHECK(make_file());
        ssize_t n = 0;
        do n = ::write(file_->number(), "", 1);
        while (n < 0 && errno == EINTR);
        if (n != 1) return system_error("append to the journal", n < 0 ? errno : ENOSPC);
        if (::ftruncate(file_->number(), static_cast<off_t>(bytes_)) != 0) leave();
        return cdp::Result<void>::ok();
    }

    cdp::Result<void> take_back() override {
        const auto before = bytes_ - frames_.size();
        if (::ftruncate(file_->number(), static_cast<off_t>(before)) != 0) {
            const auto error = system_error("take back from the journal", errno);
            leave();
            return error;
        }
        bytes_ = before;
        frames_.clear();
        return cdp::Result<void>::ok();
    }

    std::uint64_t segment() const override { return segment_; }
    std::uint64_t bytes() const override { return bytes_; }
    void cut() override {
        if (bytes_ > 0) leave();
    }
    void start_after(std::uint64_t segment) override {
        CDP_ASSERT(!file_);
        segment_ = std::max(segment_.load(), segment + 1);
    }

    cdp::Result<std::vector<std::uint64_t>> segments() const override {
        auto found = CDP_TRY(all());
        std::erase_if(found, [&](std::uint64_t segment) { return segment >= segment_; });
        return found;
    }

    cdp::Result<void> sync(std::uint64_t segment) override {
        const auto path = path_of(segment);
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.ok()) return system_error("open " + path, errno);
        if (::fdatasync(file.number()) != 0) return system_error("fdatasync " + path, errno);
        return sync_folder(folder_);
    }

    cdp::Result<Unread> read(std::uint64_t segment,
                             const std::function<void(std::string_view)>& visit) const override {
        const auto path = path_of(segment);
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.ok()) return system_error("open " + path, errno);
        const auto bytes = CDP_TRY(read_all(file.number(), kSegmentBytesMax));
        return Unread{read_frames(bytes, visit)};
    }

    cdp::Result<void> drop(std::uint64_t segment) override {
        const auto path = path_of(segment);
        cdp::crash_point("before_journal_drop");
        if (::unlink(path.c_str()) != 0 && errno != ENOENT)
            return system_error("remove " + path, errno);
        return cdp::Result<void>::ok();
    }

private:
    std::string path_of(std::uint64_t segment) const {
        return folder_ + "/" + std::to_string(segment);
    }

    cdp::Result<std::vector<std::uint64_t>> all() const {
        std::vector<std::uint64_t> found;
        std::error_code error;
        for (fs::directory_iterator at(folder_, error), end; !error && at != end;
             at.increment(error))
            if (const auto number = number_of(at->path().filename())) found.push_back(*number);
        if (error) return system_error("list " + folder_, error.value());
        std::ranges::sort(found);
        return found;
    }

    cdp::Result<void> make_file() {
        const auto path = path_of(segment_);
        constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
        const int descriptor = ::open(path.c_str(), kFlags, 0600);
        if (descriptor < 0) return system_error("create " + path, errno);
        file_.emplace(descriptor);
        return cdp::Result<void>::ok();
    }

    void leave() {
        file_.reset();
        bytes_ = 0;
        ++segment_;
    }

    const std::string folder_;
    std::atomic<std::uint64_t> segment_ = 1;  // which who drains asks for too
    std::uint64_t bytes_ = 0;
    std::optional<Descriptor> file_;
    std::string frames_;  // of the last append
};

}  // namespace

cdp::Result<std::unique_ptr<Journal>> open_journal(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return system_error("mkdir " + folder, errno);
    auto journal = std::make_unique<FileJournal>(folder);
    CDP_CHECK(journal->start());
    return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace storage
