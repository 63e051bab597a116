#include "identity/assertion.h"

#include <algorithm>
#include <array>

#include "cdp/base/bytes.h"
#include "identity/damage.h"
#include "identity/node.h"
#include "storage/key.h"

namespace identity {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kFactFormat = 2;

constexpr std::array<std::pair<AssertionKind, std::string_view>, 5> kKinds{{
    {AssertionKind::must_link, "must_link"},
    {AssertionKind::cannot_link, "cannot_link"},
    {AssertionKind::block, "block"},
    {AssertionKind::shared, "shared"},
    {AssertionKind::retract, "retract"},
}};

// All assertions stand in one group, all retractions of whole sources in another.
const cdp::Token kAll = cdp::Token::from("all assertions..");
const cdp::Token kSources = cdp::Token::from("whole sources...");

std::string fact_key(const AssertionId& id) {
    return storage::KeyWriter(storage::Space::assertion, kAll).id(id).str();
}

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
    if (kind < 1 || kind > kKinds.size()) return std::nullopt;
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

cdp::Error refusal(cdp::ErrorCode code, std::string reason, std::string message,
                   std::string pointer, std::string detail = {}) {
    return {code, std::move(reason), std::move(message), std::move(pointer), std::move(detail)};
}

// The rows that stand because of an assertion, under each identifier and event it names.
struct StandingRow {
    std::string key;
    std::string value;
};

std::vector<StandingRow> rows_of(const Assertion& assertion) {
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

// That an assertion takes an event, found from the assertion.
std::string taken_key(const AssertionId& id, const cdp::EventId& event) {
    return standing_key(id, AssertionKind::retract, cdp::Token{event.bytes}, id);
}

template <typename Tag>
cdp::Result<std::vector<StandingEntry>> entries_of(storage::Transaction& transaction,
                                                   const cdp::Id<Tag>& subject) {
    std::vector<StandingEntry> entries;
    bool readable = true;
    CDP_CHECK(transaction.scan(storage::KeyWriter(storage::Space::asserted, subject).str(),
                               [&](std::string_view key, std::string_view value) {
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

}  // namespace

std::string_view to_string(AssertionKind value) {
    return kKinds[static_cast<std::size_t>(value) - 1].second;
}

std::optional<AssertionKind> parse_assertion_kind(std::string_view name) {
    for (const auto& [kind, spelling] : kKinds)
        if (spelling == name) return kind;
    return std::nullopt;
}

AssertionId new_assertion_id(cdp::Timestamp time, std::string_view eight_random_bytes) {
    const auto key = storage::KeyWriter(storage::Space::assertion, kAll).newest_first(time).str();
    return AssertionId::from(key.substr(storage::kGroupBytes) + std::string(eight_random_bytes));
}

std::uint64_t Retraction::days_of(const LinkDays& row) const {
    if (row.source == kHashEquality || (source && *source != row.source)) return 0;
    const auto first = std::int64_t{first_day} - row.first_day;
    const auto last = std::int64_t{last_day} - row.first_day;
    if (first > 63 || last < 0) return 0;
    const auto up_to_last = last >= 63 ? ~0ULL : (1ULL << (last + 1)) - 1;
    const auto before_first = first <= 0 ? 0ULL : (1ULL << first) - 1;
    return row.days & up_to_last & ~before_first;
}

bool Retraction::covers(std::uint32_t of_source, std::int32_t day) const {
    return (!source || *source == of_source) && day >= first_day && day <= last_day;
}

namespace {

// Notes on the identifier whether anything stands about it.
cdp::Result<void> mark(storage::Transaction& transaction, const cdp::Token& token) {
    const auto row = CDP_TRY(transaction.get(node_key(token)));
    auto node = row ? decode_node(*row) : std::nullopt;
    if (!node) return damaged("an asserted node that cannot be read");
    const bool asserted = !CDP_TRY(entries_of(transaction, token)).empty();
    if (node->asserted == asserted) return cdp::Result<void>::ok();
    node->asserted = asserted;
    transaction.put(node_key(token), encode(*node));
    return cdp::Result<void>::ok();
}

// Whether the two were seen together on days that the range takes.
cdp::Result<bool> takes_anything(storage::Transaction& transaction, const Assertion& assertion) {
    bool takes = false;
    const auto& [a, b] = std::tie(assertion.identifiers[0], assertion.identifiers[1]);
    CDP_CHECK(scan_links(transaction, a, LinkClass::probabilistic,
                         [&](const cdp::Token& to, const LinkDays& row) {
                             takes = to == b && assertion.range.days_of(row) != 0;
                             return !takes;
                         }));
    return takes;
}

}  // namespace

cdp::Result<void> Assertions::check(storage::Transaction& transaction,
                                    const Assertion& assertion) const {
    using cdp::ErrorCode;
    const auto& ids = assertion.identifiers;
    if (ids.size() == 2 && ids[0] == ids[1])
        return refusal(ErrorCode::invalid_argument, "same_identifier",
                       "Both identifiers are the same one.", "/identifiers/1");
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto at = "/identifiers/" + std::to_string(i);
        const auto row = CDP_TRY(transaction.get(node_key(ids[i])));
        if (!row)
            return refusal(ErrorCode::not_found, "identifier_unknown",
                           "This identifier was never seen.", at);
        const auto node = decode_node(*row);
        if (!node) return damaged("a node that cannot be read");
        if (!node->seen)
            return refusal(ErrorCode::not_found, "identifier_unknown",
                           "This identifier was never seen.", at);
        if (assertion.kind == AssertionKind::must_link && (node->shared || node->blocked))
            return refusal(ErrorCode::conflict, "identifier_shared",
                           "This identifier belongs to nobody in particular: it is shared or "
                           "blocked, and cannot be linked.",
                           at);
        for (const auto& entry : CDP_TRY(entries_of(transaction, ids[i]))) {
            const bool opposite = (entry.kind == AssertionKind::must_link &&
                                   assertion.kind == AssertionKind::cannot_link) ||
                                  (entry.kind == AssertionKind::cannot_link &&
                                   assertion.kind == AssertionKind::must_link);
            if (opposite && ids.size() == 2 && entry.other == ids[1 - i])
                return refusal(ErrorCode::conflict, "contradicts_assertion",
                               "The opposite is asserted of these two; revoke assertion " +
                                   cdp::to_hex(entry.id.view()) + " first.",
                               at, cdp::to_hex(entry.id.view()));
        }
    }
    if (assertion.kind == AssertionKind::retract && ids.size() == 2 &&
        !CDP_TRY(takes_anything(transaction, assertion)))
        return refusal(ErrorCode::not_found, "retracts_nothing",
                       "The two were not seen together there and then.", "/identifiers");
    return cdp::Result<void>::ok();
}

namespace {

// The one that says the same and stands. Single events are not compared.
cdp::Result<std::optional<AssertionId>> find_same(storage::Transaction& transaction,
                                                  const Assertion& assertion) {
    using Found = std::optional<AssertionId>;
    if (!assertion.events.empty() || assertion.taken > 0) return Found{};
    const auto& ids = assertion.identifiers;
    const auto entries = ids.empty() ? CDP_TRY(entries_of(transaction, kSources))
                                     : CDP_TRY(entries_of(transaction, ids[0]));
    const cdp::Token other = ids.size() == 2 ? ids[1] : cdp::Token{};
    for (const auto& entry : entries)
        if (entry.kind == assertion.kind && entry.other == other && entry.range == assertion.range)
            return Found(entry.id);
    return Found{};
}

}  // namespace

void Assertions::write(storage::Transaction& transaction, const Assertion& assertion) const {
    const auto key = fact_key(assertion.id);
    transaction.put(key, storage::Vault::seal(key_, key, encode(assertion)));
}

cdp::Result<AssertionId> Assertions::add(storage::Transaction& transaction,
                                         const Assertion& assertion) const {
    CDP_CHECK(check(transaction, assertion));
    if (const auto known = CDP_TRY(find_same(transaction, assertion))) return *known;
    write(transaction, assertion);
    for (auto& row : rows_of(assertion)) transaction.put(std::move(row.key), std::move(row.value));
    for (const auto& token : assertion.identifiers) CDP_CHECK(mark(transaction, token));
    return assertion.id;
}

cdp::Result<Assertion> Assertions::revoke(storage::Transaction& transaction, const AssertionId& id,
                                          const Said& said) const {
    auto assertion = CDP_TRY(find(transaction, id));
    if (!assertion)
        return refusal(cdp::ErrorCode::not_found, "assertion_unknown",
                       "There is no assertion with this id.", "");
    if (assertion->revoked)
        return refusal(cdp::ErrorCode::conflict, "already_revoked",
                       "This assertion has been revoked already.", "");
    assertion->revoked = said;
    write(transaction, *assertion);
    for (auto& row : rows_of(*assertion)) transaction.erase(std::move(row.key));
    for (const auto& event : CDP_TRY(taken_events(transaction, id))) {
        transaction.erase(standing_key(event, AssertionKind::retract, cdp::Token{}, id));
        transaction.erase(taken_key(id, event));
    }
    for (const auto& token : assertion->identifiers) CDP_CHECK(mark(transaction, token));
    return std::move(*assertion);
}

void Assertions::take_event(storage::Transaction& transaction, const AssertionId& id,
                            const cdp::EventId& event) {
    transaction.put(standing_key(event, AssertionKind::retract, cdp::Token{}, id),
                    encode(Retraction{}));
    transaction.put(taken_key(id, event), encode(Retraction{}));
}

cdp::Result<std::vector<cdp::EventId>> Assertions::taken_events(storage::Transaction& transaction,
                                                                const AssertionId& id) {
    std::vector<cdp::EventId> out;
    for (const auto& entry : CDP_TRY(entries_of(transaction, id)))
        out.push_back(cdp::EventId{entry.other.bytes});
    return out;
}

cdp::Result<std::optional<Assertion>> Assertions::find(storage::Transaction& transaction,
                                                       const AssertionId& id) const {
    const auto key = fact_key(id);
    const auto sealed = CDP_TRY(transaction.get(key));
    if (!sealed) return std::optional<Assertion>{};
    auto assertion = decode_assertion(CDP_TRY(storage::Vault::open(key_, key, *sealed)));
    if (!assertion) return damaged("an assertion that cannot be read");
    assertion->id = id;
    return assertion;
}

cdp::Result<void> Assertions::each(const storage::Snapshot& snapshot,
                                   const std::optional<AssertionId>& after,
                                   const std::function<bool(const Assertion&)>& visit) const {
    std::optional<cdp::Error> error;
    const auto prefix = storage::KeyWriter(storage::Space::assertion, kAll).str();
    const auto from = after ? fact_key(*after) : std::string();
    CDP_CHECK(snapshot.scan(prefix, from, [&](std::string_view key, std::string_view sealed) {
        if (key == from) return true;
        const auto plain = storage::Vault::open(key_, key, sealed);
        auto assertion = plain ? decode_assertion(*plain) : std::nullopt;
        if (!assertion) {
            error = plain ? damaged("an assertion that cannot be read") : plain.error();
            return false;
        }
        assertion->id = storage::KeyReader(key).id<AssertionId>();
        return visit(*assertion);
    }));
    if (error) return *error;
    return cdp::Result<void>::ok();
}

cdp::Result<Standing> Assertions::standing(storage::Transaction& transaction,
                                           const cdp::Token& token) {
    Standing out;
    for (const auto& entry : CDP_TRY(entries_of(transaction, token))) switch (entry.kind) {
            case AssertionKind::must_link: out.must.push_back(entry.other); break;
            case AssertionKind::cannot_link: out.cannot.push_back(entry.other); break;
            case AssertionKind::block: out.blocked = true; break;
            case AssertionKind::shared: out.shared = true; break;
            case AssertionKind::retract:
                out.retracted.emplace_back(entry.other, entry.range);
                break;
        }
    return out;
}

cdp::Result<std::vector<StandingEntry>> Assertions::entries(storage::Transaction& transaction,
                                                            const cdp::Token& token) {
    return entries_of(transaction, token);
}

cdp::Result<std::vector<StandingEntry>> Assertions::source_entries(
    storage::Transaction& transaction) {
    return entries_of(transaction, kSources);
}

cdp::Result<std::vector<Retraction>> Assertions::retractions(storage::Transaction& transaction) {
    std::vector<Retraction> out;
    for (const auto& entry : CDP_TRY(entries_of(transaction, kSources))) out.push_back(entry.range);
    return out;
}

cdp::Result<std::optional<AssertionId>> Assertions::retracted(storage::Transaction& transaction,
                                                              const cdp::EventId& event) {
    const auto entries = CDP_TRY(entries_of(transaction, event));
    if (entries.empty()) return std::optional<AssertionId>{};
    return std::optional(entries.front().id);
}

}  // namespace identity
