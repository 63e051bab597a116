#include "cdp/withdrawal_rows.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "consent/entry.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kErasedFormat = 2;  // of what is kept: says what was erased

std::string key_of(const storage::Vault& vault, const RecordId& record, std::string_view channel,
                   const Token& token) {
    return storage::KeyWriter(storage::Space::acknowledged, record)
        .id(vault.hash<Token>("acknowledging channel", channel))
        .id(token)
        .str();
}

Result<Acknowledged> decode(std::string_view bytes) {
    ByteReader in(bytes);
    Acknowledged out;
    const auto format = in.u8();
    const auto salt = in.raw(out.salt.size());
    std::ranges::copy(salt, out.salt.begin());
    out.time = timestamp_of(in.i64());
    out.channel = in.bytes();
    out.by = in.bytes();
    if (!in.done() || format != kFormat) return damaged("an acknowledgement that cannot be read");
    return out;
}

}  // namespace

std::string Acknowledged::said_of(const RecordId& record) const {
    return ByteWriter()
        .u8(kFormat)
        .bytes(channel)
        .raw(record.view())
        .i64(milliseconds_of(time))
        .bytes(by)
        .take();
}

consent::Sha256 Acknowledged::commitment(const RecordId& record) const {
    return consent::commitment(consent::EntryType::withdrawal_ack, salt, said_of(record));
}

void write(storage::Transaction& transaction, const storage::Vault& vault, const RecordId& record,
           const Token& token, const Acknowledged& acknowledged) {
    ByteWriter out;
    out.u8(kFormat).raw(consent::view(acknowledged.salt));
    out.i64(milliseconds_of(acknowledged.time)).bytes(acknowledged.channel).bytes(acknowledged.by);
    transaction.put(key_of(vault, record, acknowledged.channel, token), out.take());
}

Result<std::optional<Acknowledged>> find_acknowledged(storage::Transaction& transaction,
                                                      const storage::Vault& vault,
                                                      const RecordId& record,
                                                      std::string_view channel,
                                                      std::span<const Token> tokens) {
    std::optional<Acknowledged> latest;
    for (const auto& token : tokens) {
        const auto row = CDP_TRY(transaction.get(key_of(vault, record, channel, token)));
        if (!row) return std::optional<Acknowledged>();
        auto one = CDP_TRY(decode(*row));
        if (!latest || latest->time < one.time) latest = std::move(one);
    }
    return latest;
}

Result<void> each_acknowledged(const storage::Snapshot& snapshot, const VisitAcknowledged& visit) {
    return snapshot.scan(storage::space_prefix(storage::Space::acknowledged), "",
                         [&](std::string_view key, std::string_view value) {
                             const auto record = RecordId::from(key.substr(
                                 storage::kGroupBytes - sizeof(RecordId), sizeof(RecordId)));
                             return visit(record, decode(value));
                         });
}

namespace {

std::string kept_prefix(const storage::Vault& vault, const RecordId& record) {
    return storage::KeyWriter(storage::Space::privacy,
                              vault.hash<Token>("kept withdrawal", record.view()))
        .str();
}

std::string encode(const KeptWithdrawal& kept) {
    ByteWriter out;
    out.u8(kept.erased ? kErasedFormat : kFormat).raw(kept.record.view()).raw(kept.person.view());
    out.bytes(kept.channel).bytes(kept.purpose).u8(static_cast<std::uint8_t>(kept.state));
    out.i64(milliseconds_of(kept.time)).i64(milliseconds_of(kept.received));
    out.i64(milliseconds_of(kept.told_last)).u8(kept.heard ? 1 : 0);
    if (kept.heard) out.i64(milliseconds_of(*kept.heard));
    out.u8(kept.whole ? 1 : 0);
    out.u16(static_cast<std::uint16_t>(kept.purposes.size()));
    for (const auto& purpose : kept.purposes) out.bytes(purpose);
    out.u16(static_cast<std::uint16_t>(kept.fields.size()));
    for (const auto& field : kept.fields) out.bytes(field);
    if (kept.erased) out.u8(static_cast<std::uint8_t>(*kept.erased));
    return out.take();
}

Result<KeptWithdrawal> decode_kept(std::string_view bytes) {
    ByteReader in(bytes);
    KeptWithdrawal out;
    const auto format = in.u8();
    out.record = in.id<RecordId>();
    out.person = in.id<PersonId>();
    out.channel = in.bytes();
    out.purpose = in.bytes();
    out.state = static_cast<consent::State>(in.u8());
    out.time = timestamp_of(in.i64());
    out.received = timestamp_of(in.i64());
    out.told_last = timestamp_of(in.i64());
    if (in.u8() == 1) out.heard = timestamp_of(in.i64());
    out.whole = in.u8() == 1;
    for (auto n = in.u16(); n > 0 && in.ok(); --n) out.purposes.emplace_back(in.bytes());
    for (auto n = in.u16(); n > 0 && in.ok(); --n) out.fields.emplace(in.bytes());
    if (format == kErasedFormat) out.erased = static_cast<ErasureScope>(in.u8());
    if (!in.done() || (format != kFormat && format != kErasedFormat))
        return damaged("a withdrawal that cannot be read");
    return out;
}

storage::SubjectKey kept_key(const storage::Vault& vault) {
    return vault.own_key("kept withdrawals");
}

std::string row_of(const storage::Vault& vault, const KeptWithdrawal& kept) {
    auto key = kept_prefix(vault, kept.record);
    key += kept.under().view();
    key += vault.hash<Token>("kept withdrawal's channel", kept.channel).view();
    return key;
}

Result<KeptWithdrawal> open_kept(const storage::Vault& vault, std::string_view key,
                                 std::string_view sealed) {
    return decode_kept(CDP_TRY(storage::Vault::open(kept_key(vault), key, sealed)));
}

}  // namespace

Result<void> keep(storage::Transaction& transaction, const storage::Vault& vault,
                  const KeptWithdrawal& kept) {
    auto key = row_of(vault, kept);
    if (CDP_TRY(transaction.get(key))) return Result<void>::ok();
    auto sealed = storage::Vault::seal(kept_key(vault), key, encode(kept));
    transaction.put(std::move(key), std::move(sealed));
    return Result<void>::ok();
}

Result<std::vector<KeptWithdrawal>> kept_of(const storage::Snapshot& snapshot,
                                            const storage::Vault& vault, const RecordId& record) {
    std::vector<KeptWithdrawal> out;
    auto outcome = Result<void>::ok();
    const auto open = [&](std::string_view key, std::string_view sealed) -> Result<void> {
        out.push_back(CDP_TRY(open_kept(vault, key, sealed)));
        return Result<void>::ok();
    };
    CDP_CHECK(snapshot.scan(kept_prefix(vault, record), "",
                            [&](std::string_view key, std::string_view sealed) {
                                outcome = open(key, sealed);
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    return out;
}

Result<void> note_heard(storage::Transaction& transaction, const storage::Vault& vault,
                        const KeptWithdrawal& kept, Timestamp at) {
    const auto key = row_of(vault, kept);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return Result<void>::ok();
    auto stored = CDP_TRY(open_kept(vault, key, *sealed));
    if (stored.heard) return Result<void>::ok();
    stored.heard = at;
    transaction.put(key, storage::Vault::seal(kept_key(vault), key, encode(stored)));
    return Result<void>::ok();
}

}  // namespace cdp
