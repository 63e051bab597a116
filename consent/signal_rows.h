#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "consent/fact.h"
#include "storage/store.h"
#include "storage/vault.h"

// The texts of signals, verbatim: what a cell that names one was read from. Each is stored once
// under each identifier that it spoke for, sealed under that identifier's key.
namespace consent {

// False: it was there and nothing was written. `text` is what `signal.digest` is the digest of.
cdp::Result<bool> keep_signal(storage::Transaction& transaction, const storage::Vault& vault,
                              const cdp::Token& token, const StampSignal& signal,
                              std::string_view text);

// nullopt: none is kept. corruption: it is not the text that was kept.
cdp::Result<std::optional<std::string>> find_signal(const storage::Snapshot& snapshot,
                                                    const storage::Vault& vault,
                                                    const cdp::Token& token,
                                                    const StampSignal& signal);

// A stored row, by its key: which kind of signal it is the text of, and the text.
struct KeptSignal {
    SignalType type = SignalType::gpc;
    std::string text = {};
};
cdp::Result<KeptSignal> open_signal(const storage::SubjectKey& key, std::string_view row_key,
                                    std::string_view sealed);

}  // namespace consent
