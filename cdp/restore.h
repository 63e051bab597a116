#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cdp/backups.h"
#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/told_erasures.h"

namespace cdp {

struct RestoreRequest {
    std::string from;
    std::string id;  // empty: the newest
    std::string target;
    std::string keyring_path;
    std::string erasures = {};  // another repository or data folder that knows of erasures
    Config config = {};         // what erasures fold by; as the folder was served with
};

struct Restored {
    storage::BackupManifest manifest = {};
    std::uint64_t erasures_known = 0;     // the backup had them
    std::uint64_t erasures_done = 0;      // made since, and done again
    std::uint64_t identifiers_gone = 0;   // of those
    std::uint64_t suppressions_done = 0;  // made or revoked since
};

// Makes a data folder of a backup, with every erasure and suppression since. There is no folder
// unless this succeeds. Errors: those of storage::find_backup, read_keyring and storage::Restoring;
// restore_inside (invalid_argument): the target is in the repository or the other way; of the
// erasures: rules_differ (unavailable), whatever keeps the other source from being read.
Result<Restored> restore(const RestoreRequest& request, const Clock& clock,
                         const BackupReport& report);

// One line of JSON, without its end.
std::string render(const Restored& restored);

// Which keyring opens a repository: the one given, else of the data folder given, else where it was
// when the repository was made.
Result<std::string> keyring_for(const std::string& from, const std::string& keyring,
                                const std::string& data);

// What a look at every byte of a backup said.
struct CheckedBackup {
    std::string id = {};
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::uint64_t keys = 0;
    std::vector<Error> faults = {};  // the first of each file
};
// All of them without an id. An Error when nothing can be said of any.
Result<std::vector<CheckedBackup>> check_backups(const std::string& from, const std::string& id,
                                                 const std::string& keyring_path,
                                                 const BackupReport& report);

// {"backups":[…],"erasures":N}: each as rendered, damaged ones with what is wrong.
Result<std::string> list_backups(const std::string& from, const std::string& keyring_path);

}  // namespace cdp
