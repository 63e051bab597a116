#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "storage/beat.h"

namespace storage {

// A file that does not change any more, and what it was when it was written.
struct TableFile {
    std::uint64_t number = 0;
    std::string path;
    std::uint64_t bytes = 0;
    std::string checksum;  // empty: none was kept
};
// Those of an open database, in order of number.
using Tables = std::function<std::vector<TableFile>()>;

struct ScrubPace {
    std::chrono::seconds cycle{0};  // in which every table is read once; 0: none is
    // At most, unless half a cycle would not do.
    std::uint64_t bytes_per_second = std::uint64_t{2} << 20;
    // After a table that could not be opened for want of descriptors or memory.
    std::chrono::milliseconds again{1'000};
};

// Reads every table and holds it against its checksum, so that damage is found before somebody
// needs what it took: once in a cycle, then it sleeps until the next. How far it is, and what is
// damaged, stays in a file, for a server that is started often. Safe to use from many threads.
class Scrubber {
public:
    Scrubber(Tables tables, std::string path)
        : tables_(std::move(tables)), path_(std::move(path)) {}
    Scrubber(const Scrubber&) = delete;
    Scrubber& operator=(const Scrubber&) = delete;

    // Once. Nothing for a cycle of 0.
    void begin(const ScrubPace& pace);

    struct Seen {
        std::uint64_t tables = 0;  // read by this process
        std::uint64_t bytes = 0;
        std::size_t damaged = 0;   // of those that the database has
        cdp::Timestamp through{};  // when all had been read last; 1970: never
    };
    Seen seen() const;

private:
    struct Progress {
        cdp::Timestamp began{};    // of the cycle
        cdp::Timestamp through{};  // of one before it, or of it
        std::uint64_t next = 0;    // the first table that is not read yet; 0: all are
        std::uint64_t last = 0;    // that there was when the cycle began
        // The lowest of them; 0: no more. So few that the record stays within a sector.
        std::array<std::uint64_t, 48> damaged{};
    };
    // `later`: it could not be looked at now.
    enum class Found { whole, damaged, gone, later, stopped };
    enum class Went { through, later, stopped };

    static std::string render(const Progress& progress, std::size_t damaged);
    void load();
    void save();
    std::chrono::milliseconds step(Beat& beat);
    Went run(Beat& beat);
    Found look_at(Beat& beat, const TableFile& table, std::uint64_t speed) const;
    Found hold_against(Beat& beat, const TableFile& table, int file, std::uint64_t speed) const;
    void note(const TableFile& table, Found found);
    void forget_all_but(std::span<const TableFile> tables);

    const Tables tables_;
    const std::string path_;
    ScrubPace pace_;
    Progress progress_;  // the thread's own

    mutable std::mutex mutex_;
    Seen seen_;
    std::set<std::uint64_t> damaged_;
    std::unique_ptr<Beat> beat_;  // last: it uses all of the above
};

}  // namespace storage
