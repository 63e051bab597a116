// Power loss without a disk that can be taken away: RocksDB writes through FragileFiles, and what
// was not synced goes.
#include <rocksdb/env.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "storage/high_water_mark.h"
#include "tests/storage/conformance.h"
#include "tests/storage/fragile_files.h"
#include "tests/storage/stores.h"
#include "tests/support/seeds.h"

namespace {

using namespace tests;
using storage::CommitState;
using storage::Space;

constexpr int kLanes = 3;
constexpr int kLives = 8;
constexpr int kCommitsMax = 80;  // of a lane in a life
constexpr std::uint64_t kChangesMax = 500;
constexpr std::array kSpaces = {Space::node, Space::event, Space::dedupe};

// One client that commits one thing after the other to rows of its own, and what it was told.
class Lane {
public:
    Lane(std::uint64_t number, std::uint64_t seed) : number_(number), random_(seed) {}

    // Until the store takes no more.
    void run(storage::Store& store) {
        for (int n = 0; n < kCommitsMax; ++n) {
            maybe_ = acknowledged_;
            const auto snapshot = store.snapshot();
            storage::Transaction transaction(*snapshot, storage::kPartition);
            for (auto writes = 1 + random_.below(4); writes > 0; --writes) write(transaction);
            const auto outcome = commit_and_wait(store, std::move(transaction));
            if (outcome.state != CommitState::ok) return;
            acknowledged_ = maybe_;
            ++commits_;
        }
    }

    // What is wrong with the store after it was opened again, or empty. What was last and never
    // answered is there whole or not at all.
    std::string check(const storage::Store& store) {
        Rows there;
        const auto collect = [&](std::string_view key, std::string_view value) {
            there.emplace(key, value);
            return true;
        };
        for (const auto space : {Space::node, Space::event, Space::dedupe, Space::log})
            if (const auto read = store.snapshot()->scan(group(space, number_), {}, collect); !read)
                return read.error().reason + ": " + read.error().detail;
        if (there != acknowledged_ && there != maybe_)
            return "lane " + std::to_string(number_) + " has " + std::to_string(there.size()) +
                   " rows, told of " + std::to_string(acknowledged_.size());
        kept_unanswered_ += there != acknowledged_;
        acknowledged_ = maybe_ = there;
        return {};
    }

    std::uint64_t commits() const { return commits_; }
    std::uint64_t kept_unanswered() const { return kept_unanswered_; }

private:
    void write(storage::Transaction& transaction) {
        const auto space = kSpaces[random_.below(kSpaces.size())];
        const auto at = key(space, number_, random_.below(200));
        if (random_.one_in(5)) {
            transaction.erase(at);
            maybe_.erase(at);
        } else if (random_.one_in(5)) {
            const auto log = group(Space::log, number_);
            const auto text = value();
            maybe_[cdp::ByteWriter().raw(log).u64(appended(maybe_, log)).take()] = text;
            transaction.append(log, text);
        } else {
            transaction.put(at, maybe_[at] = value());
        }
    }

    static std::uint64_t appended(const Rows& rows, const std::string& log) {
        return static_cast<std::uint64_t>(std::ranges::count_if(
            rows, [&](const auto& row) { return row.first.starts_with(log); }));
    }

    // A row of Space::dedupe must not expire meanwhile.
    std::string value() {
        return std::string(4, '\xff') +
               std::string(random_.below(1500), static_cast<char>(random_.next()));
    }

    const std::uint64_t number_;
    cdp::Random random_;
    Rows acknowledged_, maybe_;
    std::uint64_t commits_ = 0;
    std::uint64_t kept_unanswered_ = 0;
};

// RocksDB sleeps for a second after a failure, and the power is gone for good.
class Hasty final : public rocksdb::SystemClockWrapper {
public:
    Hasty() : SystemClockWrapper(rocksdb::SystemClock::Default()) {}
    const char* Name() const override { return "cdp.hasty"; }
    void SleepForMicroseconds(int us) override {
        SystemClockWrapper::SleepForMicroseconds(std::min(us, 1000));
    }
};

class FragileEnv final : public rocksdb::EnvWrapper {
public:
    explicit FragileEnv(const std::shared_ptr<FragileFiles>& files)
        : EnvWrapper(rocksdb::NewCompositeEnv(files)) {
        system_clock_ = std::make_shared<Hasty>();
    }
};

struct Outcome {
    std::string wrong = {};
    std::string refused = {};  // the code, when that is what is wrong
    std::uint64_t commits = 0, kept_unanswered = 0, lives = 0, lost_bytes = 0, lost_names = 0;
};

// Several lives of one database, each of which ends when the power goes.
class Lives {
public:
    Lives(std::uint64_t seed, FragileFiles::Habits habits) : random_(seed), habits_(habits) {
        for (std::uint64_t n = 0; n < kLanes; ++n) lanes_.emplace_back(n, seed * kLanes + n);
        const auto created = storage::create_rocks_store(options(nullptr));
        if (!created) outcome_.wrong = created.error().detail;
    }

    Outcome run() {
        for (int life = 0; life < kLives && outcome_.wrong.empty(); ++life) live();
        if (outcome_.wrong.empty()) check_with(nullptr);
        for (const auto& lane : lanes_) {
            outcome_.commits += lane.commits();
            outcome_.kept_unanswered += lane.kept_unanswered();
        }
        return outcome_;
    }

private:
    // Small memtables: tables are written and joined all the time.
    storage::RocksOptions options(rocksdb::Env* env) const {
        auto options = rocks_options(folder_);
        options.memtable_bytes = 1u << 16;
        options.env = env;
        return options;
    }

    void live() {
        const auto files =
            std::make_shared<FragileFiles>(random_.next(), folder_ / "grave", habits_);
        FragileEnv env(files);
        const auto mark_path = folder_ / "mark";
        auto mark = read_file(mark_path);
        // Its own bytes are synced by whoever writes it: what it is now, or was some moment ago.
        files->cut_after(1 + random_.below(kChangesMax), [&, old = random_.one_in(2)] {
            // Not in the middle of being written.
            while (!old && mark != read_file(mark_path)) mark = read_file(mark_path);
        });
        check_with(&env, files.get());
        write_file(mark_path, mark);
        // The mark's keeper has synced what it names.
        if (const auto named = storage::HighWaterMark::read(mark_path))
            files->know_synced(folder_ / ("db/MANIFEST-" + six(named->manifest.number)),
                               named->manifest.bytes);
        const auto lost = files->lose();
        outcome_.lost_bytes += lost.bytes;
        outcome_.lost_names += lost.names;
        ++outcome_.lives;
    }

    static std::string six(std::uint64_t number) {
        const auto digits = std::to_string(number);
        return std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
    }

    // Opens, looks and, where the power may go, works until it does.
    void check_with(rocksdb::Env* env, FragileFiles* files = nullptr) {
        const auto store = storage::open_rocks_store(options(env));
        if (!store) {
            if (!files || !files->is_cut()) outcome_.refused = store.error().reason;
            if (!outcome_.refused.empty())
                outcome_.wrong = store.error().reason + ": " + store.error().detail;
            return;
        }
        for (auto& lane : lanes_)
            if (outcome_.wrong.empty()) outcome_.wrong = lane.check(**store);
        if (!files || !outcome_.wrong.empty()) return;
        std::vector<std::jthread> threads;
        for (auto& lane : lanes_) threads.emplace_back([&] { lane.run(**store); });
    }

    const Folder folder_;
    cdp::Random random_;
    const FragileFiles::Habits habits_;
    std::vector<Lane> lanes_;
    Outcome outcome_;
};

TEST_CASE("every acknowledged commit is there whole after the power went, whenever it went") {
    static Outcome all;  // of all seeds
    const auto seed = GENERATE(tests::seeds(25));
    CAPTURE(seed);
    const auto one = Lives(seed, {}).run();
    CHECK(one.wrong == "");
    CHECK(one.lives == kLives);

    all.lives += one.lives;
    all.commits += one.commits;
    all.kept_unanswered += one.kept_unanswered;
    all.lost_bytes += one.lost_bytes;
    all.lost_names += one.lost_names;
    if (all.lives < 25 * kLives) return;
    // It was not for want of power losses.
    CAPTURE(all.commits, all.kept_unanswered, all.lost_bytes, all.lost_names);
    CHECK(all.commits > 5'000);
    CHECK(all.kept_unanswered > 15);
    CHECK(all.lost_bytes > 50'000);
    CHECK(all.lost_names > 50);
}

// A log with zeros in the middle of a record may have been damaged as well as never written: who
// cannot tell refuses.
TEST_CASE("where a disk has zeros for what was not synced, nothing is lost or the start refused") {
    int refused = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        CAPTURE(seed);
        const auto one = Lives(seed, {.zeros = true}).run();
        CAPTURE(one.wrong);
        refused += one.refused == "store_damaged";
        CHECK((one.wrong.empty() || one.refused == "store_damaged"));
    }
    CHECK(refused < 8);
}

TEST_CASE("a disk that says it has synced and has not is noticed") {
    const auto habits = GENERATE(FragileFiles::Habits{.forgets_files = true},
                                 FragileFiles::Habits{.forgets_folders = true});
    CAPTURE(habits.forgets_files, habits.forgets_folders);
    int noticed = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed)
        noticed += !Lives(seed, habits).run().wrong.empty();
    CHECK(noticed == 6);
}

}  // namespace
