#pragma once

#include <chrono>
#include <memory>

#include "storage/trusted_time.h"
#include "tests/storage/stores.h"

namespace tests {

// The clocks of a machine as a test sets them.
struct Clocks {
    storage::MachineTime time = storage::machine_time();
    bool kept = false;

    storage::TrustedTime::Machine machine() {
        return {.time = [this] { return time; },
                .kept = [this] { return kept; },
                .every = std::chrono::hours(1)};
    }
    void pass(std::chrono::milliseconds length) {
        time.clock += length;
        time.running += length;
    }
};

// Makes a data folder's `time` say that it has come no further than so long ago: to whoever opens
// the folder the clock is ahead by that.
inline void set_back(const std::string& path, std::chrono::milliseconds by) {
    Clocks clocks;
    clocks.time.clock -= by;
    REQUIRE(storage::TrustedTime::keep(path, "", clocks.machine())->accept());
}

// A store on a disk whose machine's clock is ahead by so much of what is trusted.
inline std::unique_ptr<storage::Store> new_rocks_behind(const Folder& folder,
                                                        std::chrono::milliseconds by) {
    auto options = rocks_options(folder);
    options.time_path = folder / "time";
    REQUIRE(storage::create_rocks_store(options));
    set_back(options.time_path, by);
    auto store = storage::open_rocks_store(options);
    REQUIRE(store);
    return *std::move(store);
}

}  // namespace tests
