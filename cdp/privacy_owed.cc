#include "cdp/privacy_owed.h"

#include "cdp/facts.h"
#include "cdp/privacy_request_bytes.h"
#include "cdp/privacy_request_rows.h"
#include "storage/key.h"

namespace cdp {
namespace {

using storage::KeyReader;
using storage::KeyWriter;

constexpr auto kSpace = storage::Space::privacy_request;
const Token kAll = Token::from("owed callbacks..");
// Under the request's own id.
constexpr char kOwed = 'o';
// So that the order of bytes is that of time.
constexpr std::uint64_t kBias = 1ULL << 63;

std::string row_key(const OwedCallback& owed) {
    return KeyWriter(kSpace, owed.request).byte(kOwed).number32(owed.step).str();
}

std::string timed_key(PrivacyProtocol protocol, const OwedCallback& owed) {
    return KeyWriter(kSpace, kAll)
        .byte(static_cast<char>(protocol))
        .number(static_cast<std::uint64_t>(milliseconds_of(owed.not_before)) ^ kBias)
        .id(owed.request)
        .number32(owed.step)
        .str();
}

Result<OwedCallback> opened(const OwedCallback& owed, std::string_view bytes) {
    const auto row = decode_owed(bytes);
    if (!row) return damaged("an owed callback that cannot be read");
    auto out = owed;
    out.attempts = row->attempts;
    out.not_before = row->not_before;
    return out;
}

}  // namespace

std::string privacy_owed_prefix(PrivacyProtocol protocol) {
    return KeyWriter(kSpace, kAll).byte(static_cast<char>(protocol)).str();
}

std::optional<OwedCallback> owed_in(std::string_view key) {
    KeyReader in(key);
    in.byte();
    OwedCallback one;
    one.not_before = timestamp_of(static_cast<std::int64_t>(in.number() ^ kBias));
    one.request = in.id<PrivacyRequestId>();
    one.step = in.number32();
    if (!in.ok() || !in.rest().empty()) return std::nullopt;
    return one;
}

void put_owed(storage::Transaction& transaction, PrivacyProtocol protocol,
              const OwedCallback& owed) {
    transaction.put(row_key(owed), encode_owed({owed.attempts, owed.not_before}));
    transaction.put(timed_key(protocol, owed), "");
}

Result<std::optional<OwedCallback>> take_owed(storage::Transaction& transaction,
                                              PrivacyProtocol protocol, const OwedCallback& owed) {
    const auto key = row_key(owed);
    const auto bytes = CDP_TRY(transaction.get(key));
    if (!bytes) return std::optional<OwedCallback>{};
    auto stands = CDP_TRY(opened(owed, *bytes));
    transaction.erase(key);
    transaction.erase(timed_key(protocol, stands));
    return std::optional(std::move(stands));
}

Result<OwedCallback> whole_owed(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                OwedCallback owed) {
    const auto bytes = CDP_TRY(snapshot.get(row_key(owed)));
    const auto key = privacy_request_key(owed.request);
    const auto sealed = CDP_TRY(snapshot.get(key));
    if (!bytes || !sealed) return damaged("an owed callback of nothing");
    owed = CDP_TRY(opened(owed, *bytes));
    CDP_TRY(open_privacy_row(vault, key, *sealed));
    for (const auto& step : CDP_TRY(steps_of(snapshot, vault, owed.request))) {
        if (step.number != owed.step) continue;
        owed.state = step.to;
        owed.since = step.time;
        return owed;
    }
    return damaged("an owed callback of no step");
}

}  // namespace cdp
