#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace api {

struct WitnessCommand {
    std::string url;  // of the server, or of the ledger below it
    std::vector<std::string> keys;
    std::string state;  // file: the checkpoint seen last
    bool json = false;
};

// The verbs of `cdp ledger`. Those with a folder take the running server's admin socket if there is
// one.

// The key that signs now, or every one that ever has, oldest first; one a line.
int show_ledger_keys(const std::string& data, bool all);
// Exit 1 when something does not fit, which is named on stdout.
int check_ledger(const std::string& data, bool json);
// Prints the tlog-proof of an entry, as of the latest checkpoint.
int prove_ledger_entry(const std::string& data, std::uint64_t index);
// Prints the new key.
int rotate_ledger_key(const std::string& data);
// Exit 1 when the log is at fault or cannot be reached. What it saw is on disk before it is said.
int witness_ledger(const WitnessCommand& command);

}  // namespace api
