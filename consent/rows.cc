#include "consent/rows.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/names.h"
#include "storage/key.h"

namespace consent {
namespace {

// The first when it can say all of it: what was once written encodes to the same bytes for ever.
constexpr std::uint8_t kCellFormat = 1;
constexpr std::uint8_t kSignalCellFormat = 2;

using storage::KeyWriter;
using storage::Space;

cdp::Error damaged(std::string detail) {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "consent_damaged",
            .message = "A stored consent cannot be read.",
            .detail = std::move(detail)};
}

// Days before 1970 sort first too.
std::uint32_t sortable_day(cdp::Timestamp time) {
    return static_cast<std::uint32_t>(cdp::day_of(time)) ^ 0x8000'0000U;
}

void write_identity(cdp::ByteWriter& out, const Stamp& stamp) {
    const bool plain = !stamp.signal && stamp.channel.empty();
    out.u8(plain ? kCellFormat : kSignalCellFormat).bytes(stamp.source).bytes(stamp.purpose);
    out.u8(static_cast<std::uint8_t>(stamp.state)).u8(static_cast<std::uint8_t>(stamp.scope));
    out.u8(static_cast<std::uint8_t>(stamp.origin));
    if (plain) return;
    out.bytes(stamp.channel).u8(stamp.signal ? static_cast<std::uint8_t>(stamp.signal->type) : 0);
    if (stamp.signal) out.raw(view(stamp.signal->digest));
}

// The end of a cell that has one. False: it is none that write_identity wrote.
bool read_signal(cdp::ByteReader& in, Stamp& stamp) {
    stamp.channel = in.bytes();
    const auto type = in.u8();
    if (type == 0) return in.ok() && !stamp.channel.empty();
    if (type > static_cast<std::uint8_t>(SignalType::usp)) return false;
    const auto digest = in.raw(std::tuple_size_v<Sha256>);
    if (!in.ok()) return false;
    stamp.signal = {.type = static_cast<SignalType>(type)};
    std::copy(digest.begin(), digest.end(), stamp.signal->digest.begin());
    return true;
}

std::string encode_cell(const Cell& cell) {
    cdp::ByteWriter out;
    write_identity(out, cell.first);
    out.i64(cdp::milliseconds_of(cell.first.time));
    return out.take();
}

// What write_identity wrote. False: it did not.
bool read_identity(cdp::ByteReader& in, Stamp& stamp) {
    const auto format = in.u8();
    stamp.source = in.bytes();
    stamp.purpose = in.bytes();
    const auto state = read_enum(in, State::objected);
    const auto scope = read_enum(in, Scope::person);
    const auto origin = read_enum(in, Origin::officer);
    if (!state || !scope || !origin) return false;
    stamp.state = *state;
    stamp.scope = *scope;
    stamp.origin = *origin;
    return format == kCellFormat || (format == kSignalCellFormat && read_signal(in, stamp));
}

cdp::Result<Cell> decode_cell(const cdp::Token& token, std::string_view bytes) {
    cdp::ByteReader in(bytes);
    Cell cell;
    const bool sound = read_identity(in, cell.first);
    cell.first.time = cdp::timestamp_of(in.i64());
    if (!sound || !in.done()) return damaged("a cell has another form");
    cell.id = cell_id(token, cell.first);
    return cell;
}

}  // namespace

std::string group_prefix(const cdp::Token& token) {
    return KeyWriter(Space::consent, token).str();
}

std::string records_prefix(const cdp::Token& token) {
    return KeyWriter(Space::consent, token).byte(kRecordKind).str();
}

std::string record_key(const cdp::Token& token, const Record& record) {
    return KeyWriter(Space::consent, token)
        .byte(kRecordKind)
        .newest_first(record.time)
        .id(record.id)
        .str();
}

std::string cell_key(const cdp::Token& token, const Stamp& stamp, const cdp::RecordId& id) {
    return KeyWriter(Space::consent, token)
        .byte(kCellKind)
        .number32(sortable_day(stamp.time))
        .id(id)
        .str();
}

cdp::RecordId id_in(std::string_view record_key) {
    storage::KeyReader key(record_key);
    key.byte();
    key.newest_first();
    return key.id<cdp::RecordId>();
}

std::string seal_row(const storage::SubjectKey& key, std::string_view row_key,
                     const Opened& opened) {
    std::string plain(view(opened.salt));
    if (const auto* record = std::get_if<Record>(&opened.row))
        plain += encode(*record);
    else
        plain += encode_cell(std::get<Cell>(opened.row));
    return storage::Vault::seal(key, row_key, plain);
}

cdp::Result<Opened> open_row(const storage::SubjectKey& key, const cdp::Token& token,
                             std::string_view row_key, std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(key, row_key, sealed));
    Opened opened;
    cdp::ByteReader in(plain);
    const auto salt = in.raw(opened.salt.size());
    if (!in.ok()) return damaged("a row has no salt");
    std::copy(salt.begin(), salt.end(), opened.salt.begin());

    const char kind = storage::KeyReader(row_key).byte();
    if (kind == kRecordKind)
        opened.row = CDP_TRY(decode(in.rest()));
    else if (kind == kCellKind)
        opened.row = CDP_TRY(decode_cell(token, in.rest()));
    else
        return damaged("a row is of no known kind");
    return opened;
}

cdp::Result<Sha256> commitment_of(const storage::SubjectKey& key, const cdp::Token& token,
                                  std::string_view row_key, std::string_view sealed) {
    if (storage::KeyReader(row_key).byte() == kCellKind) {
        const auto opened = CDP_TRY(open_row(key, token, row_key, sealed));
        const auto& cell = std::get<Cell>(opened.row);
        return commitment(EntryType::cell, opened.salt, cell_identity(cell.id, cell.first));
    }
    const auto plain = CDP_TRY(storage::Vault::open(key, row_key, sealed));
    cdp::ByteReader in(plain);
    Sha256 salt;
    const auto bytes = in.raw(salt.size());
    if (!in.ok()) return damaged("a row has no salt");
    std::copy(bytes.begin(), bytes.end(), salt.begin());
    return commitment(EntryType::record, salt, in.rest());
}

std::string cell_identity(const cdp::RecordId& id, const Stamp& stamp) {
    cdp::ByteWriter out;
    out.raw(id.view());
    write_identity(out, stamp);
    return out.take();
}

std::optional<Cell> read_cell_identity(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    Cell cell{.id = in.id<cdp::RecordId>()};
    if (!read_identity(in, cell.first) || !in.done()) return std::nullopt;
    return cell;
}

}  // namespace consent
