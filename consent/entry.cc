#include "consent/entry.h"

#include <array>
#include <cstring>
#include <utility>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "storage/key.h"

namespace consent {
namespace {

constexpr std::uint8_t kEntryFormat = 1;
constexpr std::size_t kFirstFormBytes = 1 + sizeof(Sha256);

constexpr std::array<std::string_view, 14> kNames{
    "record",  "cell",      "disclosures", "withdrawal_ack", "erasure",
    "version", "identity",  "access_log",  "request_status", "key_rotation",
    "pruning", "exception", "gap",         "suppression"};

cdp::Error damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "ledger_damaged",
            .message = "An entry of the ledger cannot be read.",
            .detail = std::move(detail)};
}

bool is_type(std::uint8_t number) {
    return number >= 1 && number <= kNames.size();
}

template <typename Array>
std::string_view view_of(const Array& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <typename Array>
Array array_of(cdp::ByteReader& in) {
    Array out{};
    const auto bytes = in.raw(out.size());
    if (bytes.size() == out.size()) std::memcpy(out.data(), bytes.data(), out.size());
    return out;
}

}  // namespace

std::string_view to_string(EntryType type) {
    const auto number = static_cast<std::uint8_t>(type);
    return is_type(number) ? kNames[number - std::size_t{1}] : "unknown";
}

PublicField public_number(PublicTag tag, std::uint64_t number) {
    return {.tag = tag, .bytes = cdp::ByteWriter().u64(number).take()};
}

PublicField public_time(PublicTag tag, cdp::Timestamp time) {
    return {.tag = tag, .bytes = cdp::ByteWriter().i64(cdp::milliseconds_of(time)).take()};
}

Sha256 commitment(EntryType type, const Sha256& salt, std::string_view bytes) {
    cdp::ByteWriter committed;
    committed.raw("cdp-ledger/commit/v1").u8(0).u8(static_cast<std::uint8_t>(type));
    committed.raw(view(salt)).bytes(bytes);
    return sha256(committed.str());
}

std::string encode(const Entry& entry) {
    cdp::ByteWriter out;
    out.u8(kEntryFormat).u8(static_cast<std::uint8_t>(entry.type));
    out.i64(cdp::milliseconds_of(entry.time)).raw(view_of(entry.tenant));
    out.raw(view(entry.commitment));
    for (const auto& field : entry.fields) {
        CDP_ASSERT(field.bytes.size() <= 0xffff);
        out.u8(static_cast<std::uint8_t>(field.tag));
        out.u16(static_cast<std::uint16_t>(field.bytes.size())).raw(field.bytes);
    }
    CDP_ASSERT(out.str().size() <= kEntryBytesMax);
    return out.take();
}

cdp::Result<Entry> decode_entry(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    Entry entry;
    const bool first_form = bytes.size() == kFirstFormBytes;
    if (!first_form && in.u8() != kEntryFormat) return damaged("an entry has another form");
    const auto type = in.u8();
    if (!is_type(type)) return damaged("an entry is of no known type");
    entry.type = static_cast<EntryType>(type);
    if (!first_form) {
        entry.time = cdp::timestamp_of(in.i64());
        entry.tenant = array_of<storage::Tenant>(in);
    }
    entry.commitment = array_of<Sha256>(in);
    while (in.ok() && !in.rest().empty()) {
        const auto tag = in.u8();
        const auto size = in.u16();
        entry.fields.push_back({static_cast<PublicTag>(tag), std::string(in.raw(size))});
    }
    if (!in.done()) return damaged("an entry is cut");
    return entry;
}

void append_entry(storage::Transaction& transaction, const storage::Vault& vault,
                  const NewEntry& entry) {
    transaction.append(ledger_prefix(),
                       encode({.type = entry.type,
                               .time = entry.time,
                               .tenant = vault.tenant(),
                               .commitment = commitment(entry.type, entry.salt, entry.bytes),
                               .fields = entry.fields}));
}

std::string ledger_prefix() {
    using LedgerId = cdp::Id<struct LedgerTag>;
    constexpr std::string_view kName("ledger\0\0\0\0\0\0\0\0\0\0", sizeof(LedgerId));
    return storage::KeyWriter(storage::Space::log, LedgerId::from(kName)).str();
}

}  // namespace consent
