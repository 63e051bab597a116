#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cdp/platform.h"
#include "storage/vault.h"
#include "tests/schedules/account.h"
#include "tests/schedules/disk.h"
#include "tests/support/keyring.h"

namespace tests {

// One life of a server without its network: a platform on a disk, started and ended as `cdp serve`
// does it.
class Process {
public:
    // Tries again while the disk fails, as a supervisor would.
    Process(Disk& disk, const DiskFaults& faults, cdp::Config config);
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    cdp::Platform& platform() { return *platform_; }
    storage::Store& store() { return *store_; }
    const storage::Vault& vault() const { return vault_; }
    const cdp::Config& config() const { return config_; }
    const cdp::Clock& clock() const { return clock_; }

    // Why the last try to start failed; empty: it serves.
    const std::string& refused() const { return refused_; }

private:
    cdp::Result<void> start();

    const cdp::SystemClock clock_;
    const cdp::Config config_;
    const storage::Vault vault_{fixed_keyring()};
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<cdp::Platform> platform_;
    std::string refused_;
};

// What clients do at random: one thread each, over the units 0 to `units` - 1.
struct Traffic {
    int units = 3;
    int operations = 12;
    bool erasures = false;
    bool assertions = false;
};

// Until the operations are done or the disk is gone; told in the account.
void run_client(Process& process, const Disk& disk, Account& account, const Traffic& traffic,
                std::uint64_t seed);
// What was never answered is sent again, as SDKs do.
void send_again(Process& process, Account& account);

// What is kept of the promises after it all: every line says what is not.
std::vector<std::string> broken_promises(Process& process, const Account& account);

}  // namespace tests
