#include "consent/signal_rows.h"

#include <utility>

#include "cdp/base/bytes.h"
#include "storage/key.h"

namespace consent {
namespace {

constexpr std::uint8_t kFormat = 1;

std::string row_key_of(const cdp::Token& token, const StampSignal& signal) {
    return storage::KeyWriter(storage::Space::signal, token)
        .id(cdp::RecordId::from(view(signal.digest).substr(0, sizeof(cdp::RecordId::bytes))))
        .str();
}

cdp::Error damaged(const char* what) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "consent_damaged",
            .message = "A stored consent cannot be read.",
            .detail = what};
}

// Apart from where it is opened: g++ 12 warns of a string's own bytes otherwise.
[[gnu::noinline]] cdp::Result<KeptSignal> read_kept(std::string_view plain) {
    cdp::ByteReader in(plain);
    const auto format = in.u8();
    const auto type = static_cast<SignalType>(in.u8());
    std::string text(in.rest());
    if (!in.ok() || format != kFormat) return damaged("a signal that cannot be read");
    return KeptSignal{type, std::move(text)};
}

}  // namespace

cdp::Result<bool> keep_signal(storage::Transaction& transaction, const storage::Vault& vault,
                              const cdp::Token& token, const StampSignal& signal,
                              std::string_view text) {
    auto row_key = row_key_of(token, signal);
    if (CDP_TRY(transaction.get(row_key))) return false;
    const auto key = CDP_TRY(vault.find_or_make(transaction, token));
    cdp::ByteWriter out;
    out.u8(kFormat).u8(static_cast<std::uint8_t>(signal.type)).raw(text);
    auto sealed = storage::Vault::seal(key, row_key, out.str());
    transaction.put(std::move(row_key), std::move(sealed));
    return true;
}

cdp::Result<std::optional<std::string>> find_signal(const storage::Snapshot& snapshot,
                                                    const storage::Vault& vault,
                                                    const cdp::Token& token,
                                                    const StampSignal& signal) {
    const auto row_key = row_key_of(token, signal);
    const auto sealed = CDP_TRY(snapshot.get(row_key));
    if (!sealed) return std::optional<std::string>();
    const auto key = CDP_TRY(vault.find(snapshot, token));
    if (!key) return damaged("an identifier has signals but no key");
    auto kept = CDP_TRY(open_signal(*key, row_key, *sealed));
    if (sha256(kept.text) != signal.digest) return damaged("a signal is not what its digest says");
    return std::optional(std::move(kept.text));
}

cdp::Result<KeptSignal> open_signal(const storage::SubjectKey& key, std::string_view row_key,
                                    std::string_view sealed) {
    const auto opened = storage::Vault::open(key, row_key, sealed);
    if (!opened) return opened.error();
    return read_kept(*opened);
}

}  // namespace consent
