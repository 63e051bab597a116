#include "identity/assertion_rows.h"

#include "cdp/base/bytes.h"
#include "identity/damage.h"

namespace identity {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kFactFormat = 2;

// All assertions stand in one group, all retractions of whole sources in another.
const cdp::Token kAll = cdp::Token::from("all assertions..");
const cdp::Token kSources = cdp::Token::from("whole sources...");

template <typename Tag>
std::string standing_key(const cdp::Id<Tag>& subject, AssertionKind kind, const cdp::Token& other,
                         const AssertionId& id) {
    return storage::KeyWriter(storage::Space::asserted, subject)
        .byte(static_cast<char>(kind))
        .id(other)
        .id(id)
        .str();
}

std::string encode(const Retraction& range) {
    cdp::ByteWriter out;
    out.u8(kFormat)
        .u8(range.source.has_value())
        .u32(range.source.value_or(0))
        .u32(static_cast<std::uint32_t>(range.first_day))
        .u32(static_cast<std::uint32_t>(range.last_day));
    return out.take();
}

std::optional<Retraction> decode_retraction(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    Retraction range;
    const bool of_source = in.u8() != 0;
    const auto source = in.u32();
    if (of_source) range.source = source;
    range.first_day = static_cast<std::int32_t>(in.u32());
    range.last_day = static_cast<std::int32_t>(in.u32());
    if (!in.done()) return std::nullopt;
    return range;
}

void write_said(cdp::ByteWriter& out, const Said& said) {
    out.bytes(said.author).bytes(said.reason).i64(cdp::milliseconds_of(said.time));
}

Said read_said(cdp::ByteReader& in) {
    Said said;
    said.author = in.bytes();
    said.reason = in.bytes();
    said.time = cdp::timestamp_of(in.i64());
    return said;
}

void write_time(cdp::ByteWriter& out, const std::optional<cdp::Timestamp>& time) {
    out.u8(time.has_value()).i64(time ? cdp::milliseconds_of(*time) : 0);
}

std::optional<cdp::Timestamp> read_time(cdp::ByteReader& in) {
    const bool has = in.u8() != 0;
    const auto time = cdp::timestamp_of(in.i64());
    if (!has) return std::nullopt;
    return time;
}

}  // namespace

std::string assertions_prefix() {
    return storage::KeyWriter(storage::Space::assertion, kAll).str();
}

std::string assertion_key(const AssertionId& id) {
    return storage::KeyWriter(storage::Space::assertion, kAll).id(id).str();
}

std::string encode(const Assertion& assertion) {
    cdp::ByteWriter out;
    out.u8(kFactFormat)
        .u8(static_cast<std::uint8_t>(assertion.kind))
        .u8(static_cast<std::uint8_t>(assertion.identifiers.size()));
    for (const auto& token : assertion.identifiers) out.raw(token.view());
    out.bytes(encode(assertion.range)).bytes(assertion.source_name);
    write_time(out, assertion.from);
    write_time(out, assertion.to);
    out.u32(assertion.taken);
    out.u32(static_cast<std::uint32_t>(assertion.events.size()));
    for (const auto& event : assertion.events)
        out.raw(event.id.view()).bytes(event.source).bytes(event.message_id);
    write_said(out, assertion.said);
    out.u8(assertion.revoked.has_value());
    if (assertion.revoked) write_said(out, *assertion.revoked);
    return out.take();
}

std::optional<Assertion> decode_assertion(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kFactFormat) return std::nullopt;
    Assertion out;
    const auto kind = in.u8();
    if (kind < 1 || kind > static_cast<std::uint8_t>(AssertionKind::retract)) return std::nullopt;
    out.kind = static_cast<AssertionKind>(kind);
    for (auto n = in.u8(); n > 0 && in.ok(); --n) out.identifiers.push_back(in.id<cdp::Token>());
    const auto range = decode_retraction(in.bytes());
    if (!range) return std::nullopt;
    out.range = *range;
    out.source_name = in.bytes();
    out.from = read_time(in);
    out.to = read_time(in);
    out.taken = in.u32();
    for (auto n = in.u32(); n > 0 && in.ok(); --n) {
        Assertion::Event event;
        event.id = in.id<cdp::EventId>();
        event.source = in.bytes();
        event.message_id = in.bytes();
        out.events.push_back(std::move(event));
    }
    out.said = read_said(in);
    if (in.u8() != 0) out.revoked = read_said(in);
    if (!in.done()) return std::nullopt;
    return out;
}

std::vector<StandingRow> standing_rows(const Assertion& assertion) {
    std::vector<StandingRow> rows;
    const auto& ids = assertion.identifiers;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const cdp::Token other = ids.size() == 2 ? ids[1 - i] : cdp::Token{};
        rows.push_back(
            {standing_key(ids[i], assertion.kind, other, assertion.id), encode(assertion.range)});
    }
    for (const auto& event : assertion.events)
        rows.push_back({standing_key(event.id, assertion.kind, cdp::Token{}, assertion.id),
                        encode(Retraction{})});
    if (assertion.of_source())
        rows.push_back({standing_key(kSources, assertion.kind, cdp::Token{}, assertion.id),
                        encode(assertion.range)});
    return rows;
}

std::array<StandingRow, 2> taken_rows(const AssertionId& id, const cdp::EventId& event) {
    const auto nothing = encode(Retraction{});
    return {{
        {standing_key(event, AssertionKind::retract, cdp::Token{}, id), nothing},
        {standing_key(id, AssertionKind::retract, cdp::Token{event.bytes}, id), nothing},
    }};
}

cdp::Result<std::vector<StandingEntry>> rows_below(storage::Transaction& transaction,
                                                   const std::string& prefix) {
    std::vector<StandingEntry> entries;
    bool readable = true;
    CDP_CHECK(transaction.scan(prefix, [&](std::string_view key, std::string_view value) {
        storage::KeyReader reader(key);
        const auto kind = static_cast<AssertionKind>(reader.byte());
        const auto other = reader.id<cdp::Token>();
        const auto id = reader.id<AssertionId>();
        const auto range = decode_retraction(value);
        readable = reader.ok() && range.has_value();
        if (readable) entries.push_back({kind, other, id, *range});
        return readable;
    }));
    if (!readable) return damaged("an assertion that cannot be read");
    return entries;
}

cdp::Result<std::vector<StandingEntry>> source_rows(storage::Transaction& transaction) {
    return rows_under(transaction, kSources);
}

}  // namespace identity
