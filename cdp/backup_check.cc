#include "cdp/restore.h"
#include "consent/json_writer.h"
#include "storage/backup_keys.h"
#include "storage/restore.h"

// What a repository holds, and whether all of it is as it was written.
namespace cdp {
namespace {

using storage::BackupRepo;

Result<std::vector<std::string>> ids_of(const BackupRepo& repo, const std::string& id) {
    return id.empty() ? repo.ids() : std::vector{id};
}

Result<void> check_files(const BackupRepo& repo, const storage::BackupManifest& manifest,
                         CheckedBackup& checked, const BackupReport& report) {
    std::uint64_t done = 0;
    for (const auto& file : manifest.files) {
        const auto whole = repo.verify_file(file, [&](std::uint64_t bytes) {
            done += bytes;
            return report("verifying", done, manifest.bytes());
        });
        if (whole) continue;
        if (whole.error().reason == "stopping") return whole.error();
        checked.faults.push_back(whole.error());
    }
    return Result<void>::ok();
}

Result<CheckedBackup> check(const BackupRepo& repo, const std::string& id,
                            const storage::Keyring& keyring, const BackupReport& report) {
    CheckedBackup checked{.id = id};
    const auto manifest = repo.manifest(id);
    if (!manifest) {
        checked.faults.push_back(manifest.error());
        return checked;
    }
    checked.files = manifest->files.size();
    checked.bytes = manifest->bytes();
    if (const auto readable = check_readable(repo, id, keyring); !readable)
        checked.faults.push_back(readable.error());
    if (const auto keys = count_keys(repo, id); keys)
        checked.keys = *keys;
    else
        checked.faults.push_back(keys.error());
    const auto records = repo.erasures(manifest->erasures);
    if (!records) checked.faults.push_back(records.error());
    if (records)
        for (const auto& record : *records)
            if (!decode_told(record))
                checked.faults.push_back(storage::backup_damaged("a record of erasures"));
    CDP_CHECK(check_files(repo, *manifest, checked, report));
    return checked;
}

}  // namespace

Result<std::vector<CheckedBackup>> check_backups(const std::string& from, const std::string& id,
                                                 const std::string& keyring_path,
                                                 const BackupReport& report) {
    const auto keyring = CDP_TRY(storage::read_keyring(keyring_path));
    const storage::Vault vault(keyring);
    const auto repo = CDP_TRY(BackupRepo::open(from, vault, keyring.fingerprint));
    std::vector<CheckedBackup> out;
    for (const auto& one : CDP_TRY(ids_of(repo, id)))
        out.push_back(CDP_TRY(check(repo, one, keyring, report)));
    return out;
}

Result<std::string> list_backups(const std::string& from, const std::string& keyring_path) {
    const auto keyring = CDP_TRY(storage::read_keyring(keyring_path));
    const storage::Vault vault(keyring);
    const auto repo = CDP_TRY(BackupRepo::open(from, vault, keyring.fingerprint));
    consent::JsonWriter out;
    out.open().open_list("backups");
    for (const auto& id : CDP_TRY(repo.ids())) {
        const auto manifest = repo.manifest(id);
        const auto readable = manifest ? check_readable(repo, id, keyring) : manifest.error();
        storage::BackupManifest shown;
        shown.id = id;
        out.json({}, render(manifest ? *manifest : shown, readable ? "" : readable.error().reason));
    }
    out.close_list();
    out.number("erasures", static_cast<std::int64_t>(CDP_TRY(repo.count_erasures())));
    return out.close().take();
}

}  // namespace cdp
