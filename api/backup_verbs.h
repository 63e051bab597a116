#pragma once

#include <string>

namespace api {

struct BackupCommand {
    std::string data = {};
    std::string repository = {};
    std::string id = {};
    std::string keyring = {};
    std::string erasures = {};  // another place that knows of some
    std::string config = {};
    bool json = false;
};

// The verbs of `cdp backup`. How far they are is said on stderr.

// Takes the running server's admin socket if there is one.
int create_backup(const BackupCommand& command);
int list_backups(const BackupCommand& command);
// Exit 70 when anything is not as it was written.
int verify_backups(const BackupCommand& command);
int restore_backup(const BackupCommand& command);

}  // namespace api
