#pragma once

#include <string>

namespace api {

// The verbs of `cdp keys` about the keys that the data folder itself is kept with. Those with a
// folder take the running server's admin socket if there is one.

// Ends the present epoch, or goes on with a change that was interrupted; says how far it is on
// stderr.
int change_epoch(const std::string& data, bool json);
int show_epochs(const std::string& data, bool json);

struct EscrowCommand {
    std::string data = {};
    std::string file = {};       // the escrow; of a new pair, its private half
    std::string recipient = {};  // 64 hexadecimal digits
    std::string private_key = {};
    std::string keyring = {};  // where an opened escrow goes
};
int write_escrow(const EscrowCommand& command);
// Prints the public half.
int new_escrow_pair(const EscrowCommand& command);
int open_escrow(const EscrowCommand& command);

}  // namespace api
