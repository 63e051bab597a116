#include "cdp/backups.h"

#include <utility>

#include "cdp/base/crash_point.h"
#include "cdp/base/log.h"
#include "cdp/escrows.h"
#include "cdp/refuse.h"
#include "cdp/told_erasures.h"
#include "consent/json_writer.h"
#include "consent/tiles.h"
#include "storage/backup_keys.h"
#include "storage/data_dir.h"
#include "storage/epochs.h"
#include "storage/folder_claim.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::BackupRepo;
using storage::KeyPlace;

Error copy_running() {
    return {.code = ErrorCode::conflict,
            .reason = "backup_running",
            .message = "A backup is being made, or its keys are being wrapped anew."};
}

Error stopping() {
    return {.code = ErrorCode::unavailable,
            .reason = "stopping",
            .message = "The server stops; nothing of this backup counts."};
}

}  // namespace

Result<BackupRepo> Backups::repository(const std::string& path) const {
    return BackupRepo::open(path, needs_.vault, needs_.keyring.keyring().fingerprint);
}

Result<Backups::Made> Backups::create(const std::string& to, const BackupReport& report) {
    if (!to.starts_with('/'))
        return refuse("path_relative", "The path of a repository is absolute.", "/to");
    if (storage::lies_within(to, needs_.folder))
        return refuse("backup_inside", "Backups do not go into the data folder itself.", "/to");
    const std::unique_lock copying(copying_, std::try_to_lock);
    if (!copying) return copy_running();
    const auto repo = CDP_TRY(BackupRepo::open_or_make(
        to, needs_.vault, needs_.keyring.keyring().fingerprint, needs_.keyring_path));
    const auto known = CDP_TRY(
        storage::find_place(*needs_.store.snapshot(), needs_.vault, KeyPlace::Kind::backup, to));
    auto place = known.value_or(KeyPlace{.kind = KeyPlace::Kind::backup, .path = to});
    // Before anything is read: whoever is erased from now on, and whichever epoch ends, reaches it.
    if (!known) CDP_CHECK(keep_place(needs_.store, needs_.vault, place));
    Made made;
    made.manifest.made = needs_.clock.now();
    made.manifest.id = storage::new_backup_id(made.manifest.made);
    if (const auto filled = fill(repo, made, report); !filled) {
        const auto ids = repo.ids();
        // There is nothing in it that would have to be kept up to date.
        if (!known && ids && ids->empty())
            CDP_CHECK(keep_place(needs_.store, needs_.vault, place, /*forget=*/true));
        return filled.error();
    }
    const auto range = CDP_TRY(storage::KeysReader::open(repo, made.manifest.id))->range();
    place.lowest = place.lowest == 0 ? range.lowest : std::min(place.lowest, range.lowest);
    place.highest = std::max(place.highest, range.highest);
    if (!place.failing.empty()) place.lowest = range.lowest;  // what was there is lost already
    place.written = needs_.clock.now();
    place.failing.clear();
    CDP_CHECK(keep_place(needs_.store, needs_.vault, place));
    tell_erasures();
    made.owed = CDP_TRY(count_owed(*needs_.store.snapshot(), needs_.vault, to));
    return made;
}

Result<void> Backups::fill(const BackupRepo& repo, Made& made, const BackupReport& report) {
    {
        const std::lock_guard telling(telling_);
        CDP_CHECK(repo.drop_unfinished());
    }
    CDP_CHECK(tell(repo.path()));
    if (!report("copying", 0, 0)) return stopping();
    CDP_CHECK(needs_.drain());
    const auto copy =
        CDP_TRY(storage::StoreCopy::make(needs_.store, needs_.folder + "/backup-scratch"));
    CDP_CHECK(copy_files(repo, *copy, made, report));
    CDP_TRY(storage::write_keys(repo, made.manifest.id, copy->snapshot()));
    CDP_CHECK(repo.sync());
    auto& manifest = made.manifest;
    manifest.fingerprint = needs_.keyring.keyring().fingerprint;
    manifest.format = static_cast<std::uint32_t>(storage::kFormat);
    manifest.sequence = copy->sequence();
    if (const auto published = CDP_TRY(consent::read_checkpoint(copy->snapshot()))) {
        manifest.tree_size = published->checkpoint.size;
        manifest.tree_root = consent::view(published->checkpoint.root);
    }
    {
        const std::lock_guard telling(telling_);
        manifest.erasures = CDP_TRY(repo.count_erasures());
    }
    if (!report("finishing", manifest.bytes(), manifest.bytes())) return stopping();
    crash_point("backup_copied");
    CDP_CHECK(repo.put_manifest(manifest));
    return repo.drop_unnamed();
}

Result<void> Backups::copy_files(const BackupRepo& repo, const storage::StoreCopy& copy, Made& made,
                                 const BackupReport& report) const {
    const auto files = CDP_TRY(copy.files());
    std::uint64_t of = 0;
    for (const auto& file : files) of += file.bytes;
    std::uint64_t done = 0;
    for (const auto& file : files) {
        auto added = CDP_TRY(repo.add_file(copy.path(), file.name, [&](std::uint64_t bytes) {
            done += bytes;
            return report("copying", done, of);
        }));
        if (added.copied) {
            ++made.copied_files;
            made.copied_bytes += added.file.bytes;
        }
        made.manifest.files.push_back(std::move(added.file));
    }
    return Result<void>::ok();
}

Result<void> Backups::tell(const std::string& path) {
    const std::lock_guard telling(telling_);
    const auto owed = CDP_TRY(owed_to(*needs_.store.snapshot(), needs_.vault, path));
    if (owed.told.empty()) return Result<void>::ok();
    const auto repo = CDP_TRY(repository(path));
    CDP_CHECK(repo.add_erasures(encode(owed.told)));
    crash_point("backup_told");
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    for (const auto& row : owed.rows) transaction.erase(row);
    const auto outcome = commit_and_wait(needs_.store, std::move(transaction));
    if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
    return outcome.state == storage::CommitState::unknown ? outcome.error : copy_running();
}

void Backups::tell_erasures() {
    const auto places = storage::all_places(*needs_.store.snapshot(), needs_.vault);
    if (!places) return;
    for (const auto& place : *places) {
        if (place.kind != KeyPlace::Kind::backup) continue;
        if (const auto told = tell(place.path); !told)
            log::write(log::Level::warning, "backup_not_told_of_erasures",
                       {{"reason", log::safe(told.error().reason)}});
    }
}

// One that cannot be rewritten does not keep the others from it.
Result<void> Backups::rewrap(const KeyPlace& place, const Rewrap& rewrap) {
    const std::lock_guard copying(copying_);
    const auto epochs = CDP_TRY(storage::read_epochs(*needs_.store.snapshot()));
    const auto repo = CDP_TRY(repository(place.path));
    auto outcome = Result<void>::ok();
    for (const auto& id : CDP_TRY(repo.ids())) {
        const auto one = [&]() -> Result<void> {
            const auto range = CDP_TRY(storage::KeysReader::open(repo, id))->range();
            // Of an epoch that ended before: there is nothing to be saved.
            if (range.lowest < epochs.lowest || range.lowest >= epochs.current)
                return Result<void>::ok();
            return storage::rewrap_keys(repo, id, epochs.current, rewrap);
        }();
        if (!one && outcome) outcome = one.error();
    }
    if (const auto told = tell(place.path); !told && outcome) outcome = told.error();
    return outcome;
}

namespace {

void write(consent::JsonWriter& out, const storage::BackupManifest& manifest) {
    out.text("id", manifest.id).text("made", format_time(manifest.made));
    out.number("files", static_cast<std::int64_t>(manifest.files.size()));
    out.number("bytes", static_cast<std::int64_t>(manifest.bytes()));
    out.number("sequence", static_cast<std::int64_t>(manifest.sequence));
    out.number("ledger_size", static_cast<std::int64_t>(manifest.tree_size));
    if (manifest.tree_root.empty())
        out.json("ledger_root", "null");
    else
        out.text("ledger_root", to_hex(manifest.tree_root));
    out.text("keyring", manifest.fingerprint).number("format", manifest.format);
}

}  // namespace

std::string render(const Backups::Made& made) {
    consent::JsonWriter out;
    out.open();
    write(out, made.manifest);
    out.number("copied_files", static_cast<std::int64_t>(made.copied_files));
    out.number("copied_bytes", static_cast<std::int64_t>(made.copied_bytes));
    out.number("erasures_owed", static_cast<std::int64_t>(made.owed));
    return out.close().take();
}

std::string render(const storage::BackupManifest& manifest, std::string_view unreadable) {
    consent::JsonWriter out;
    out.open();
    write(out, manifest);
    if (unreadable.empty())
        out.json("unreadable", "null");
    else
        out.text("unreadable", unreadable);
    return out.close().take();
}

}  // namespace cdp
