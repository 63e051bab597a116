#include "cdp/restore.h"
#include "cdp/privacy.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>

#include "cdp/erasures.h"
#include "cdp/escrows.h"
#include "cdp/interrupted.h"
#include "cdp/platform.h"
#include "cdp/rebuild.h"
#include "cdp/refuse.h"
#include "cdp/suppressions.h"
#include "consent/json_writer.h"
#include "storage/data_dir.h"
#include "storage/folder_claim.h"
#include "storage/journal.h"
#include "storage/restore.h"
#include "storage/scratch.h"

namespace cdp {
namespace {

namespace fs = std::filesystem;

void add(Told& into, Told more) {
    std::ranges::move(more.erasures, std::back_inserter(into.erasures));
    std::ranges::move(more.suppressions, std::back_inserter(into.suppressions));
}

Result<Told> decode_records(const std::vector<std::string>& records) {
    Told all;
    for (const auto& record : records) {
        auto told = decode_told(record);
        if (!told) return storage::backup_damaged("a record of erasures");
        add(all, *std::move(told));
    }
    return all;
}

// From another repository, or from a data folder that nobody has open.
Result<Told> read_source(const std::string& path, const storage::Vault& vault,
                         const std::string& fingerprint) {
    if (std::error_code error; !fs::is_directory(path + "/db", error)) {
        const auto repo = CDP_TRY(storage::BackupRepo::open(path, vault, fingerprint));
        return decode_records(CDP_TRY(repo.erasures(0)));
    }
    const auto folder = CDP_TRY(storage::open_data_dir({.path = path, .keyring_path = {}}));
    if (folder.keyring.fingerprint != fingerprint)
        return Error{.code = ErrorCode::unavailable,
                     .reason = "keyring_foreign",
                     .message = "The other data folder has another keyring."};
    const storage::Vault own(folder.keyring);
    return told_in(*folder.store->snapshot(), own);
}

// In the order in which they were asked for, each once.
std::vector<ToldErasure> in_order(std::vector<ToldErasure> erasures) {
    std::map<std::pair<Timestamp, PrivacyRequestId>, ToldErasure> sorted;
    for (auto& one : erasures) sorted.try_emplace({one.requested, one.id}, std::move(one));
    std::vector<ToldErasure> out;
    for (auto& [place, one] : sorted) out.push_back(std::move(one));
    return out;
}

// When keys ended with an epoch, what their events said of others cannot be read and taken back: it
// goes by making every fold of the facts that are left.
Result<void> fold_anew(storage::Store& store, const storage::Vault& vault, const Clock& clock,
                       const storage::Keyring& keyring, const RestoreRequest& request) {
    const auto scratch = CDP_TRY(storage::ScratchStore::make(request.target + "/rebuild"));
    const storage::Vault scratch_vault(keyring);
    Rebuild rebuild({store, vault, scratch->store(), scratch_vault, request.config, clock}, {});
    CDP_TRY(rebuild.mend());
    return Result<void>::ok();
}

Result<bool> all_known(const storage::Snapshot& snapshot, const Told& told) {
    if (!told.suppressions.empty()) return false;
    for (const auto& one : told.erasures)
        if (!CDP_TRY(snapshot.get(erasure_key(one.id)))) return false;
    return true;
}

// By the code that erases everywhere.
Result<void> replay(storage::Store& store, const storage::Vault& vault, const Clock& clock,
                    const storage::Keyring& keyring, const RestoreRequest& request,
                    const Told& told, Restored& restored) {
    restored.erasures_known = told.erasures.size();
    if (CDP_TRY(all_known(*store.snapshot(), told))) return Result<void>::ok();
    restored.erasures_known = 0;
    const Platform platform(store, vault, clock, request.config,
                            CDP_TRY(storage::open_journal(request.target + "/journal")));
    // First: who is erased under one is erased for ever.
    for (const auto& one : told.suppressions)
        restored.suppressions_done += CDP_TRY(platform.privacy().suppressions.replay(one)) ? 1 : 0;
    CDP_CHECK(finish_interrupted(platform));
    bool unread = false;
    for (const auto& one : told.erasures) {
        unread = unread || CDP_TRY(lacks_keys(*store.snapshot(), vault, one.tokens));
        const bool done = CDP_TRY(platform.privacy().erasures.replay(one));
        ++(done ? restored.erasures_done : restored.erasures_known);
        if (done)
            restored.identifiers_gone +=
                CDP_TRY(platform.privacy().erasures.find(one.id)).counts.identifiers;
    }
    return unread ? fold_anew(store, vault, clock, keyring, request) : Result<void>::ok();
}

Result<void> check_places(const RestoreRequest& request) {
    if (storage::lies_within(request.target, request.from) ||
        storage::lies_within(request.from, request.target))
        return refuse("restore_inside", "A data folder and its backups lie apart.", "/data");
    return Result<void>::ok();
}

}  // namespace

Result<Restored> restore(const RestoreRequest& request, const Clock& clock,
                         const BackupReport& report) {
    CDP_CHECK(check_places(request));
    const auto keyring = CDP_TRY(storage::read_keyring(request.keyring_path));
    const storage::Vault vault(keyring);
    const auto backup = CDP_TRY(storage::find_backup(request.from, request.id, vault, keyring));
    auto told = CDP_TRY(decode_records(backup.erasures));
    if (!request.erasures.empty())
        add(told, CDP_TRY(read_source(request.erasures, vault, keyring.fingerprint)));
    told.erasures = in_order(std::move(told.erasures));

    Restored restored{.manifest = backup.manifest};
    std::uint64_t done = 0;
    const auto of = backup.manifest.bytes();
    const auto restoring = CDP_TRY(
        storage::Restoring::begin(backup, request.target, keyring, [&](std::uint64_t bytes) {
            done += bytes;
            return report("restoring", done, of);
        }));
    if (!report("erasing", done, of)) return Error{.reason = "stopping"};
    CDP_CHECK(replay(restoring->store(), vault, clock, keyring, request, told, restored));
    // What the folder goes on with: erasures and epochs to come reach where it came from.
    const auto from = fs::absolute(request.from).lexically_normal().string();
    const auto known = CDP_TRY(storage::find_place(*restoring->store().snapshot(), vault,
                                                   storage::KeyPlace::Kind::backup, from));
    if (!known)
        CDP_CHECK(keep_place(restoring->store(), vault,
                             {.kind = storage::KeyPlace::Kind::backup, .path = from}));
    CDP_CHECK(restoring->finish(fs::absolute(request.keyring_path).lexically_normal().string(),
                                keyring.fingerprint));
    return restored;
}

Result<std::string> keyring_for(const std::string& from, const std::string& keyring,
                                const std::string& data) {
    if (!keyring.empty()) return keyring;
    if (!data.empty()) return storage::recorded_keyring(data);
    return storage::BackupRepo::keyring_path(from);
}

std::string render(const Restored& restored) {
    consent::JsonWriter out;
    out.open().json("backup", render(restored.manifest, ""));
    out.number("erasures_known", static_cast<std::int64_t>(restored.erasures_known));
    out.number("erasures_done", static_cast<std::int64_t>(restored.erasures_done));
    out.number("identifiers_gone", static_cast<std::int64_t>(restored.identifiers_gone));
    out.number("suppressions_done", static_cast<std::int64_t>(restored.suppressions_done));
    return out.close().take();
}

}  // namespace cdp
