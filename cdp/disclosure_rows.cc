#include "cdp/disclosure_rows.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "consent/sha256.h"

namespace cdp {
namespace {

using storage::KeyWriter;
using storage::Space;
using NumberId = Id<struct NumberTag>;

constexpr std::uint8_t kFormat = 1;
constexpr char kHead = 'h';
constexpr char kRows = 'r';
constexpr std::size_t kPieceBytesMax = 32 * 1024;
constexpr std::size_t kKeyNameBytes = 8;
constexpr std::string_view kOwnKey = "disclosures";

Error unreadable(std::string detail) {
    return {.code = ErrorCode::corruption,
            .reason = "disclosure_damaged",
            .message = "A stored disclosure cannot be read.",
            .detail = std::move(detail)};
}

NumberId id_of(std::uint64_t number) {
    return NumberId::from(ByteWriter().u64(0).u64(number).take());
}

std::string_view view_of(const std::array<std::uint8_t, 16>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Tells one key of a subject from another, without a word about either.
std::string key_name(const storage::SubjectKey& key) {
    const std::string_view bytes(reinterpret_cast<const char*>(key.bytes().data()),
                                 key.bytes().size());
    const auto hash =
        consent::sha256(ByteWriter().raw("cdp-disclosure/key-name/v1").u8(0).raw(bytes).take());
    return std::string(consent::view(hash).substr(0, kKeyNameBytes));
}

void write_times(ByteWriter& out, std::uint32_t count, Timestamp first, Timestamp last) {
    out.u32(count).i64(milliseconds_of(first)).i64(milliseconds_of(last));
}

void read_times(ByteReader& in, auto& row) {
    row.count = in.u32();
    row.first = timestamp_of(in.i64());
    row.last = timestamp_of(in.i64());
}

consent::Sha256 read_hash(ByteReader& in) {
    consent::Sha256 hash{};
    std::ranges::copy(in.raw(hash.size()), hash.begin());
    return hash;
}

void write_row(ByteWriter& out, const BatchRow& row) {
    out.raw(row.subject.view()).raw(row.mask.view()).raw(row.decision.view());
    write_times(out, row.count, row.first, row.last);
    out.raw(consent::view(row.leaf)).bytes(row.reason);
}

BatchRow read_row(ByteReader& in) {
    BatchRow row;
    row.subject = in.id<Token>();
    row.mask = in.id<consent::MaskId>();
    row.decision = in.id<consent::DecisionId>();
    read_times(in, row);
    row.leaf = read_hash(in);
    row.reason = in.bytes();
    return row;
}

}  // namespace

std::string subject_row_key(const Token& subject, Timestamp last, std::uint64_t batch,
                            std::uint32_t row) {
    return KeyWriter(Space::disclosed, subject)
        .newest_first(last)
        .number(batch)
        .number32(row)
        .str();
}

std::string seal_subject_row(const storage::SubjectKey& key, std::string_view row_key,
                             const SubjectRow& row) {
    ByteWriter out;
    out.u8(kFormat).raw(view_of(row.salt)).raw(row.mask.view()).raw(row.decision.view());
    write_times(out, row.count, row.first, row.last);
    out.bytes(row.reason).u32(static_cast<std::uint32_t>(row.evidence.size()));
    for (const auto& id : row.evidence) out.raw(id.view());
    return ByteWriter()
        .u8(kFormat)
        .raw(key_name(key))
        .raw(storage::Vault::seal(key, row_key, out.str()))
        .take();
}

Result<std::optional<SubjectRow>> open_subject_row(const std::optional<storage::SubjectKey>& key,
                                                   std::string_view row_key,
                                                   std::string_view value) {
    ByteReader outer(value);
    const auto format = outer.u8();
    const auto name = outer.raw(kKeyNameBytes);
    if (format != kFormat || !outer.ok()) return unreadable("a row of a subject has another form");
    if (!key || key_name(*key) != name) return std::optional<SubjectRow>();
    const auto plain = CDP_TRY(storage::Vault::open(*key, row_key, outer.rest()));
    ByteReader in(plain);
    SubjectRow row;
    const auto inner = in.u8();
    std::ranges::copy(in.raw(row.salt.size()), row.salt.begin());
    row.mask = in.id<consent::MaskId>();
    row.decision = in.id<consent::DecisionId>();
    read_times(in, row);
    row.reason = in.bytes();
    for (auto left = in.u32(); left > 0 && in.ok(); --left)
        row.evidence.push_back(in.id<RecordId>());
    if (inner != kFormat || !in.done()) return unreadable("a row of a subject cannot be read");
    return std::optional(std::move(row));
}

std::string batch_key(std::uint64_t number) {
    return KeyWriter(Space::batch, id_of(number)).byte(kHead).str();
}

std::string encode_batch_value(const DisclosedBatch& batch) {
    return ByteWriter()
        .u8(kFormat)
        .raw(consent::view(batch.salt))
        .raw(consent::encode(batch.batch))
        .take();
}

Result<DisclosedBatch> decode_batch_value(std::string_view value) {
    ByteReader in(value);
    const auto format = in.u8();
    DisclosedBatch batch;
    batch.salt = read_hash(in);
    if (format != kFormat || !in.ok()) return unreadable("a batch has another form");
    batch.batch = CDP_TRY(consent::decode_batch(in.rest()));
    return batch;
}

// They are numbered without gaps.
Result<void> each_batch(
    const storage::Snapshot& snapshot,
    const std::function<bool(std::uint64_t, const Result<DisclosedBatch>&)>& visit) {
    storage::Transaction transaction(snapshot, storage::kPartition);
    const auto given = CDP_TRY(find_drain_state(transaction)).batches;
    for (std::uint64_t number = 1; number <= given; ++number) {
        const auto value = CDP_TRY(snapshot.get(batch_key(number)));
        if (!visit(number, decode_batch_value(value.value_or("")))) break;
    }
    return Result<void>::ok();
}

std::string batch_rows_prefix(std::uint64_t number) {
    return KeyWriter(Space::batch, id_of(number)).byte(kRows).str();
}

void put_batch_rows(storage::Transaction& transaction, const storage::Vault& vault,
                    std::uint64_t number, const std::vector<BatchRow>& rows) {
    const auto key = vault.own_key(kOwnKey);
    ByteWriter piece;
    std::uint32_t first = 0;
    const auto put = [&](std::size_t end) {
        auto row_key = KeyWriter(Space::batch, id_of(number)).byte(kRows).number32(first).str();
        auto sealed = storage::Vault::seal(key, row_key, piece.take());
        transaction.put(std::move(row_key), std::move(sealed));
        piece = {};
        first = static_cast<std::uint32_t>(end);
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (piece.str().empty()) piece.u8(kFormat);
        write_row(piece, rows[i]);
        if (piece.str().size() >= kPieceBytesMax) put(i + 1);
    }
    if (!piece.str().empty()) put(rows.size());
}

Result<std::vector<BatchRow>> batch_rows(const storage::Snapshot& snapshot,
                                         const storage::Vault& vault, std::uint64_t number) {
    const auto key = vault.own_key(kOwnKey);
    std::vector<BatchRow> rows;
    auto outcome = Result<void>::ok();
    const auto read = [&](std::string_view row_key, std::string_view sealed) -> Result<void> {
        const auto plain = CDP_TRY(storage::Vault::open(key, row_key, sealed));
        ByteReader in(plain);
        if (in.u8() != kFormat) return unreadable("rows of a batch have another form");
        while (in.ok() && !in.rest().empty()) rows.push_back(read_row(in));
        return in.done() ? Result<void>::ok() : unreadable("rows of a batch are cut");
    };
    CDP_CHECK(snapshot.scan(batch_rows_prefix(number), {},
                            [&](std::string_view row_key, std::string_view sealed) {
                                outcome = read(row_key, sealed);
                                return static_cast<bool>(outcome);
                            }));
    CDP_CHECK(outcome);
    return rows;
}

std::string mask_key(const consent::MaskId& id) {
    return KeyWriter(Space::mask, id).str();
}

std::string seal_mask(const storage::Vault& vault, const consent::MaskId& id,
                      std::string_view encoded) {
    return storage::Vault::seal(vault.own_key(kOwnKey), mask_key(id), encoded);
}

Result<consent::Mask> find_mask(const storage::Snapshot& snapshot, const storage::Vault& vault,
                                const consent::MaskId& id) {
    const auto row_key = mask_key(id);
    const auto sealed = CDP_TRY(snapshot.get(row_key));
    if (!sealed) return unreadable("a mask is missing");
    return consent::decode_mask(
        CDP_TRY(storage::Vault::open(vault.own_key(kOwnKey), row_key, *sealed)));
}

Token channel_hash(const storage::Vault& vault, std::string_view channel) {
    return vault.hash<Token>("disclosures to channel", channel);
}

Token reader_hash(const storage::Vault& vault, std::string_view role, std::string_view name) {
    return vault.hash<Token>("accesses by", std::string(role).append("/").append(name));
}

Token gaps_hash(const storage::Vault& vault) {
    return vault.hash<Token>("gaps of disclosures", "");
}

std::string batch_of_key(const Token& reader, Timestamp last, std::uint64_t number) {
    return KeyWriter(Space::batch_of, reader).newest_first(last).number(number).str();
}

std::string drain_state_key() {
    constexpr std::string_view kName("disclosures\0\0\0\0\0", 16);
    return KeyWriter(Space::meta, Id<struct MetaTag>::from(kName)).str();
}

std::string encode(const DrainState& state) {
    return ByteWriter()
        .u8(kFormat)
        .u8(state.running ? 1 : 0)
        .bytes(state.boot)
        .u64(state.segment)
        .u64(state.parted)
        .u32(state.parts)
        .i64(milliseconds_of(state.time))
        .u64(state.batches)
        .take();
}

Result<DrainState> find_drain_state(storage::Transaction& transaction) {
    const auto value = CDP_TRY(transaction.get(drain_state_key()));
    if (!value) return DrainState{};
    ByteReader in(*value);
    const auto format = in.u8();
    DrainState state;
    state.running = in.u8() != 0;
    state.boot = in.bytes();
    state.segment = in.u64();
    state.parted = in.u64();
    state.parts = in.u32();
    state.time = timestamp_of(in.i64());
    state.batches = in.u64();
    if (format != kFormat || !in.done()) return unreadable("the state of the journal");
    return state;
}

}  // namespace cdp
