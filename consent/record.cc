#include "consent/record.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/names.h"

namespace consent {
namespace {

constexpr std::uint8_t kFirstFormat = 1;
constexpr std::uint8_t kFormat = 2;

using cdp::ByteReader;
using cdp::ByteWriter;

// Format 1 had one text for who said it.
ActorKind kind_of(std::string_view actor) {
    const bool officer = actor.starts_with("officer:") || actor.starts_with("admin:");
    return officer ? ActorKind::officer : ActorKind::api;
}

// What only format 2 can say.
bool says_more(const Record& record) {
    const auto first = [](const Asserted& one) { return one.strength == Strength::strong; };
    const bool words = record.state <= State::objected && record.basis == Basis::consent &&
                       record.actor.kind == kind_of(record.actor.id) &&
                       std::ranges::all_of(record.asserted, first);
    const bool lists = record.labels.empty() && record.evidence.empty() && record.overrides.empty();
    const bool clocks = !record.effective_from && !record.reconfirm_due && !record.no_reask_until;
    const bool texts = record.jurisdiction.empty() && record.regime.empty() &&
                       record.notice.language.empty() && record.notice.url.empty() &&
                       record.notice.code_hash.empty() && record.receipt_id.empty();
    const bool parts = !record.signal && !record.double_opt_in && !record.minor;
    return !(words && lists && clocks && texts && parts && record.graph_version == 0);
}

void write_time(ByteWriter& out, const std::optional<cdp::Timestamp>& time) {
    out.u8(time ? 1 : 0);
    if (time) out.i64(cdp::milliseconds_of(*time));
}

template <typename Id>
void write_id(ByteWriter& out, const std::optional<Id>& id) {
    out.u8(id ? 1 : 0);
    if (id) out.raw(id->view());
}

void write_texts(ByteWriter& out, const std::vector<std::string>& texts) {
    out.u16(static_cast<std::uint16_t>(texts.size()));
    for (const auto& text : texts) out.bytes(text);
}

template <typename Enum>
void write_word(ByteWriter& out, Enum value) {
    out.u8(static_cast<std::uint8_t>(value));
}

// What every stored form and content_id() hold.
void write_content(ByteWriter& out, const Record& record) {
    out.u16(static_cast<std::uint16_t>(record.asserted.size()));
    for (const auto& one : record.asserted) out.raw(one.token.view());
    out.bytes(record.purpose);
    write_texts(out, record.channels);
    write_word(out, record.state);
    write_word(out, record.scope);
    out.i64(cdp::milliseconds_of(record.time));
    write_time(out, record.valid_until);
    write_word(out, record.origin);
    out.bytes(record.source).bytes(method_text(record));
    out.bytes(record.notice.id).bytes(record.notice.version).bytes(record.notice.hash);
    out.bytes(record.actor.id);
}

void write_more(ByteWriter& out, const Record& record) {
    for (const auto& one : record.asserted) write_word(out, one.strength);
    write_texts(out, record.labels);
    write_word(out, record.basis);
    write_time(out, record.effective_from);
    write_time(out, record.reconfirm_due);
    write_time(out, record.no_reask_until);
    out.bytes(record.jurisdiction).bytes(record.regime);
    out.bytes(record.notice.language).bytes(record.notice.url).bytes(record.notice.code_hash);
    out.u8(record.signal ? 1 : 0);
    if (record.signal) {
        write_word(out, record.signal->type);
        out.bytes(record.signal->raw).raw(view(record.signal->digest));
        out.bytes(record.signal->parser_version);
    }
    out.u16(static_cast<std::uint16_t>(record.evidence.size()));
    for (const auto& one : record.evidence)
        out.bytes(one.kind).raw(view(one.sha256)).u64(one.size).bytes(one.location);
    out.u8(record.double_opt_in ? 1 : 0);
    if (const auto& doi = record.double_opt_in) {
        write_id(out, doi->request);
        out.raw(view(doi->token_hash));
        write_time(out, doi->expires);
        write_id(out, doi->confirmed_by);
    }
    out.u8(record.minor ? 1 : 0);
    if (const auto& minor = record.minor) {
        write_word(out, minor->age_band);
        write_id(out, minor->guardian);
        out.bytes(minor->verification);
        write_id(out, minor->guardian_record);
    }
    write_word(out, record.actor.kind);
    out.u16(static_cast<std::uint16_t>(record.overrides.size()));
    for (const auto& id : record.overrides) out.raw(id.view());
    out.u64(record.graph_version).bytes(record.receipt_id);
}

std::optional<cdp::Timestamp> read_time(ByteReader& in) {
    if (in.u8() == 0) return std::nullopt;
    return cdp::timestamp_of(in.i64());
}

template <typename Id>
std::optional<Id> read_id(ByteReader& in) {
    if (in.u8() == 0) return std::nullopt;
    return in.id<Id>();
}

void read_texts(ByteReader& in, std::vector<std::string>& texts) {
    const auto count = in.u16();
    for (std::uint16_t i = 0; i < count && in.ok(); ++i) texts.emplace_back(in.bytes());
}

Sha256 read_hash(ByteReader& in) {
    Sha256 hash{};
    const auto bytes = in.raw(hash.size());
    std::ranges::copy(bytes, hash.begin());
    return hash;
}

// False when the byte is not a value of the enum.
template <typename Enum>
bool read_word(ByteReader& in, Enum last, Enum& out) {
    const auto value = read_enum(in, last);
    if (value) out = *value;
    return value.has_value();
}

bool read_content(ByteReader& in, Record& record) {
    const auto tokens = in.u16();
    for (std::uint16_t i = 0; i < tokens && in.ok(); ++i)
        record.asserted.push_back({in.id<cdp::Token>()});
    record.purpose = in.bytes();
    read_texts(in, record.channels);
    bool known = read_word(in, State::noticed, record.state);
    known = read_word(in, Scope::person, record.scope) && known;
    record.time = cdp::timestamp_of(in.i64());
    record.valid_until = read_time(in);
    known = read_word(in, Origin::officer, record.origin) && known;
    record.source = in.bytes();
    set_method(record, in.bytes());
    record.notice.id = in.bytes();
    record.notice.version = in.bytes();
    record.notice.hash = in.bytes();
    record.actor.id = in.bytes();
    record.actor.kind = kind_of(record.actor.id);
    return known;
}

bool read_parts(ByteReader& in, Record& record) {
    bool known = true;
    if (in.u8() != 0) {
        auto& signal = record.signal.emplace();
        known = read_word(in, SignalType::usp, signal.type);
        signal.raw = in.bytes();
        signal.digest = read_hash(in);
        signal.parser_version = in.bytes();
    }
    const auto evidence = in.u16();
    for (std::uint16_t i = 0; i < evidence && in.ok(); ++i) {
        auto& one = record.evidence.emplace_back();
        one.kind = in.bytes();
        one.sha256 = read_hash(in);
        one.size = in.u64();
        one.location = in.bytes();
    }
    if (in.u8() != 0) {
        auto& doi = record.double_opt_in.emplace();
        doi.request = read_id<cdp::RecordId>(in);
        doi.token_hash = read_hash(in);
        doi.expires = read_time(in);
        doi.confirmed_by = read_id<cdp::RecordId>(in);
    }
    if (in.u8() != 0) {
        auto& minor = record.minor.emplace();
        known = read_word(in, AgeBand::age_16_17, minor.age_band) && known;
        minor.guardian = read_id<cdp::Token>(in);
        minor.verification = in.bytes();
        minor.guardian_record = read_id<cdp::RecordId>(in);
    }
    return known;
}

bool read_more(ByteReader& in, Record& record) {
    bool known = true;
    for (auto& one : record.asserted)
        known = read_word(in, Strength::shared, one.strength) && known;
    read_texts(in, record.labels);
    known = read_word(in, Basis::kr_trade_6m, record.basis) && known;
    record.effective_from = read_time(in);
    record.reconfirm_due = read_time(in);
    record.no_reask_until = read_time(in);
    record.jurisdiction = in.bytes();
    record.regime = in.bytes();
    record.notice.language = in.bytes();
    record.notice.url = in.bytes();
    record.notice.code_hash = in.bytes();
    known = read_parts(in, record) && known;
    known = read_word(in, ActorKind::api, record.actor.kind) && known;
    const auto overrides = in.u16();
    for (std::uint16_t i = 0; i < overrides && in.ok(); ++i)
        record.overrides.push_back(in.id<cdp::RecordId>());
    record.graph_version = in.u64();
    record.receipt_id = in.bytes();
    return known;
}

}  // namespace

std::string encode(const Record& record) {
    const bool more = says_more(record);
    ByteWriter out;
    out.u8(more ? kFormat : kFirstFormat).raw(record.id.view());
    out.i64(cdp::milliseconds_of(record.received));
    write_content(out, record);
    if (more) write_more(out, record);
    return out.take();
}

cdp::Result<Record> decode(std::string_view bytes) {
    ByteReader in(bytes);
    const auto format = in.u8();
    Record record;
    record.id = in.id<cdp::RecordId>();
    record.received = cdp::timestamp_of(in.i64());
    bool known = format == kFirstFormat || format == kFormat;
    known = known && read_content(in, record);
    if (known && format == kFormat) known = read_more(in, record);
    // Encoding again also finds what reads but was never written: a flag of 2.
    if (!known || !in.done() || encode(record) != bytes)
        return cdp::Error{.code = cdp::ErrorCode::corruption,
                          .reason = "consent_damaged",
                          .message = "A stored consent cannot be read.",
                          .detail = "a consent record has another form"};
    return record;
}

cdp::RecordId content_id(const Record& record) {
    const bool more = says_more(record);
    ByteWriter out;
    out.raw(more ? "cdp-consent/record/v2" : "cdp-consent/record/v1");
    write_content(out, record);
    if (more) write_more(out, record);
    return short_id(out.str());
}

bool repeats(const Record& stored, Record again) {
    // What was cut had asked for a later time.
    const bool retimed = again.time == again.received || again.time > stored.time;
    if (stored.time == stored.received && retimed) again.time = stored.time;
    return content_id(stored) == content_id(again);
}

std::string_view method_text(const Record& record) {
    return record.method == Method::other ? record.method_other : to_string(record.method);
}

void set_method(Record& record, std::string_view text) {
    const auto known = parse_method(text);
    record.method = known ? *known : text.empty() ? Method::unstated : Method::other;
    record.method_other = record.method == Method::other ? text : std::string_view{};
}

}  // namespace consent
