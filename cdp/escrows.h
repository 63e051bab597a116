#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/base/result.h"
#include "storage/key_places.h"
#include "storage/keyring_file.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// Copies of the keyring, each sealed for somebody who keeps it elsewhere. Whoever changes the
// keyring calls refresh, so that no escrow cdp can reach holds an epoch past its end. Safe to use
// from many threads; everything it refers to must outlive it.
class Escrows {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        storage::KeyringFile& keyring;
        const Clock& clock;
    };
    explicit Escrows(Needs needs) : needs_(needs) {}

    // Registers the file, then writes it: durable when it returns. One that is registered is
    // written anew, also for another recipient. Errors: path_relative, recipient_weak
    // (invalid_argument); file_exists (conflict): something else is there; those of the disk, after
    // which it stays registered if it was before.
    Result<storage::KeyPlace> add(const std::string& path,
                                  const storage::EscrowRecipient& recipient) const;

    // Writes every escrow as the keyring is now. Those that cannot be written say why, and are
    // tried again the next time.
    Result<std::vector<storage::KeyPlace>> refresh() const;

private:
    Result<void> write(storage::KeyPlace& place) const;

    Needs needs_;
    mutable std::mutex writing_;  // held from reading the keyring until the file is what it says
};

// Notes a place as it is now, or forgets it.
Result<void> keep_place(storage::Store& store, const storage::Vault& vault,
                        const storage::KeyPlace& place, bool forget = false);

}  // namespace cdp
