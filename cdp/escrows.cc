#include "cdp/escrows.h"

#include <filesystem>
#include <system_error>

#include "cdp/refuse.h"
#include "storage/contended.h"
#include "storage/file.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr int kRacesMax = 50;

}  // namespace

Result<void> keep_place(storage::Store& store, const storage::Vault& vault,
                        const storage::KeyPlace& place, bool forget) {
    for (int race = 0; race < kRacesMax; ++race) {
        const auto snapshot = store.snapshot();
        storage::Transaction transaction(*snapshot, storage::kPartition);
        if (forget)
            forget_place(transaction, vault, place);
        else
            put_place(transaction, vault, place);
        const auto outcome = commit_and_wait(store, std::move(transaction));
        if (outcome.state == storage::CommitState::ok) return Result<void>::ok();
        if (outcome.state == storage::CommitState::unknown) return outcome.error;
    }
    return storage::contended("try again.");
}

Result<storage::KeyPlace> Escrows::add(const std::string& path,
                                       const storage::EscrowRecipient& recipient) const {
    const std::lock_guard lock(writing_);
    if (!path.starts_with('/'))
        return refuse("path_relative", "The path of an escrow is absolute.", "/path");
    const auto keyring = needs_.keyring.keyring();
    // Before anything is noted.
    CDP_TRY(storage::seal_escrow(keyring, recipient));
    const auto known = CDP_TRY(storage::find_place(*needs_.store.snapshot(), needs_.vault,
                                                   storage::KeyPlace::Kind::escrow, path));
    std::error_code error;
    const auto status = std::filesystem::symlink_status(path, error);
    if (!known && std::filesystem::exists(status))
        return Error{.code = ErrorCode::conflict,
                     .reason = "file_exists",
                     .message = "Something else is there already.",
                     .pointer = "/path",
                     .detail = path};
    auto place = known.value_or(storage::KeyPlace{.path = path});
    place.recipient = recipient;
    CDP_CHECK(keep_place(needs_.store, needs_.vault, place));
    if (const auto written = write(place); !written) {
        // It was never there, so there is nothing to be kept up to date.
        if (!known) CDP_CHECK(keep_place(needs_.store, needs_.vault, place, /*forget=*/true));
        return written.error();
    }
    return place;
}

Result<std::vector<storage::KeyPlace>> Escrows::refresh() const {
    const std::lock_guard lock(writing_);
    std::vector<storage::KeyPlace> escrows;
    for (auto& place : CDP_TRY(storage::all_places(*needs_.store.snapshot(), needs_.vault))) {
        if (place.kind != storage::KeyPlace::Kind::escrow) continue;
        if (const auto written = write(place); !written) {
            place.failing = written.error().reason;
            CDP_CHECK(keep_place(needs_.store, needs_.vault, place));
        }
        escrows.push_back(place);
    }
    return escrows;
}

Result<void> Escrows::write(storage::KeyPlace& place) const {
    const auto keyring = needs_.keyring.keyring();
    const auto text = CDP_TRY(storage::seal_escrow(keyring, place.recipient));
    CDP_CHECK(storage::replace_file(place.path, text));
    place.lowest = keyring.epochs.begin()->first;
    place.highest = keyring.epochs.rbegin()->first;
    place.written = needs_.clock.now();
    place.failing.clear();
    return keep_place(needs_.store, needs_.vault, place);
}

}  // namespace cdp
