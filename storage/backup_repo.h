#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "storage/backup_manifest.h"
#include "storage/sealed_file.h"
#include "storage/vault.h"

// A folder that holds the backups of one keyring's data; docs/decisions/0028 says what is in it.
namespace storage {

// How many bytes of the files are done. False stops (error stopping).
using BytesDone = std::function<bool(std::uint64_t bytes)>;

class BackupRepo {
public:
    // Errors: backup_missing (not_found), backup_damaged (corruption), backup_newer,
    // backup_foreign: it belongs to another keyring.
    static cdp::Result<BackupRepo> open(const std::string& path, const Vault& vault,
                                        const std::string& fingerprint);
    // The same of a folder that may be empty or missing, and is made a repository. Error
    // dir_not_empty: something else is there.
    static cdp::Result<BackupRepo> open_or_make(const std::string& path, const Vault& vault,
                                                const std::string& fingerprint,
                                                const std::string& keyring_path);
    // Where the keyring was when the repository was made. Errors as of open.
    static cdp::Result<std::string> keyring_path(const std::string& path);

    const std::string& path() const { return path_; }

    // Of what is whole: it has a manifest. Oldest first.
    cdp::Result<std::vector<std::string>> ids() const;
    // Error not_found, backup_unknown; backup_damaged.
    cdp::Result<BackupManifest> manifest(const std::string& id) const;
    // Durable, and with it the backup; everything else of it was written before.
    cdp::Result<void> put_manifest(const BackupManifest& manifest) const;

    struct Added {
        BackupManifest::File file;
        bool copied = false;  // it was not there before
    };
    cdp::Result<Added> add_file(const std::string& folder, const std::string& name,
                                const BytesDone& report) const;
    // It is there, and as long as it must be.
    cdp::Result<void> look_at(const BackupManifest::File& file) const;
    // Hands its bytes to `sink`. Error backup_damaged: not all of it is as it was.
    using Sink = std::function<cdp::Result<void>(std::string_view)>;
    cdp::Result<void> read_file(const BackupManifest::File& file, const Sink& sink) const;
    // The same, and holds them against the name.
    cdp::Result<void> verify_file(const BackupManifest::File& file, const BytesDone& report) const;

    // Of wrapped keys; see backup_keys.h.
    std::string keys_path(const std::string& id) const;
    static std::string keys_label(const std::string& id) { return "keys " + id; }
    const SubjectKey& key() const { return key_; }

    // Records of erasures, numbered from 1 without a gap. Durable when it returns.
    cdp::Result<void> add_erasures(std::string_view record) const;
    // In order. Error backup_damaged when there are not at least `least`, too.
    cdp::Result<std::vector<std::string>> erasures(std::uint64_t least) const;
    // The same, as far as names tell.
    cdp::Result<std::uint64_t> count_erasures() const;

    // Removes what creates that did not come to their end left, but whole files.
    cdp::Result<void> drop_unfinished() const;
    // Removes the files that no manifest names; nothing when a manifest cannot be read.
    cdp::Result<void> drop_unnamed() const;
    // Makes the names of files and keys durable.
    cdp::Result<void> sync() const;

private:
    BackupRepo(std::string path, const Vault& vault);

    std::string file_path(const BackupManifest::File& file) const;
    cdp::Result<std::string> name_of(const std::string& path, const BytesDone& report) const;

    std::string path_;
    SubjectKey key_;       // seals
    SubjectKey name_key_;  // names
};

}  // namespace storage
