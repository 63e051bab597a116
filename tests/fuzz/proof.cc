// Texts that others hand in as proof: keys, checkpoints, proofs of the ledger, and a keyring.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "consent/checkpoint.h"
#include "consent/note.h"
#include "consent/tlog_proof.h"
#include "storage/keyring.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)consent::parse_vkey(text);
    (void)consent::parse_checkpoint(text);
    (void)consent::parse_tlog_proof(text);
    (void)storage::parse_keyring(text);
    return 0;
}
