#pragma once

#include "storage/keyring.h"

namespace tests {

// The same in every run, and with it ranks and what ties by them.
inline storage::Keyring fixed_keyring() {
    storage::Keyring keyring;
    keyring.token_key.fill(1);
    keyring.rank_key.fill(2);
    keyring.secret_key.fill(3);
    keyring.epochs[1].fill(4);
    keyring.ledger = storage::LedgerKey{.origin = "ledger.example/test", .seed = {}};
    keyring.ledger->seed.fill(5);
    keyring.fingerprint = "test";
    return keyring;
}

}  // namespace tests
