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

}  // namespace cdp
