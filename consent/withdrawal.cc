#include "consent/withdrawal.h"

#include <utility>

#include "cdp/base/bytes.h"
#include "consent/rows.h"
#include "storage/key.h"

namespace consent {
namespace {

constexpr std::uint8_t kFormat = 1;

std::string row_key_of(const Withdrawal& withdrawal, const cdp::Token& token) {
    if (withdrawal.cell) return cell_key(token, Stamp{.time = withdrawal.time}, withdrawal.id);
    return record_key(token, Record{.id = withdrawal.id, .time = withdrawal.time});
}

}  // namespace

std::string withdrawal_log() {
    using LogId = cdp::Id<struct WithdrawalLogTag>;
    constexpr std::string_view kName("withdrawals\0\0\0\0\0", sizeof(LogId));
    return storage::KeyWriter(storage::Space::log, LogId::from(kName)).str();
}

void append(storage::Transaction& transaction, const Withdrawal& withdrawal) {
    cdp::ByteWriter out;
    out.u8(kFormat).raw(withdrawal.id.view());
    out.u8(withdrawal.cell ? 1 : 0).i64(cdp::milliseconds_of(withdrawal.time));
    out.i64(cdp::milliseconds_of(withdrawal.received));
    out.u16(static_cast<std::uint16_t>(withdrawal.tokens.size()));
    for (const auto& token : withdrawal.tokens) out.raw(token.view());
    transaction.append(withdrawal_log(), out.take());
}

cdp::Result<Withdrawal> decode_withdrawal(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    Withdrawal out{.id = in.id<cdp::RecordId>()};
    out.cell = in.u8() != 0;
    out.time = cdp::timestamp_of(in.i64());
    out.received = cdp::timestamp_of(in.i64());
    for (auto n = in.u16(); n > 0 && in.ok(); --n) out.tokens.push_back(in.id<cdp::Token>());
    if (!in.done() || format != kFormat)
        return cdp::Error{.code = cdp::ErrorCode::corruption,
                          .reason = "consent_damaged",
                          .message = "A stored consent cannot be read.",
                          .detail = "a row of the log of withdrawals cannot be read"};
    return out;
}

cdp::Result<std::optional<Row>> find(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                     const Withdrawal& withdrawal) {
    std::optional<Row> found;
    for (const auto& token : withdrawal.tokens) {
        const auto key = CDP_TRY(vault.find(snapshot, token));
        const auto row_key = row_key_of(withdrawal, token);
        const auto sealed = key ? CDP_TRY(snapshot.get(row_key)) : std::nullopt;
        if (!sealed) continue;
        auto opened = CDP_TRY(open_row(*key, token, row_key, *sealed));
        found.emplace(std::move(opened.row));
        break;
    }
    return found;
}

}  // namespace consent
