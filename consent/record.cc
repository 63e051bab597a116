#include "consent/record.h"

#include <algorithm>
#include <utility>

#include "cdp/base/bytes.h"
#include "consent/names.h"
#include "consent/sha256.h"

namespace consent {
namespace {

constexpr std::uint8_t kFormat = 1;

using namespace std::string_view_literals;

constexpr Names kStates{
    std::pair{State::granted, "granted"sv}, std::pair{State::denied, "denied"sv},
    std::pair{State::withdrawn, "withdrawn"sv}, std::pair{State::objected, "objected"sv}};
constexpr Names kScopes{std::pair{Scope::identifier, "identifier"sv},
                        std::pair{Scope::device, "device"sv}, std::pair{Scope::person, "person"sv}};
constexpr Names kOrigins{std::pair{Origin::client_stamp, "client_stamp"sv},
                         std::pair{Origin::server_stamp, "server_stamp"sv},
                         std::pair{Origin::server, "server"sv},
                         std::pair{Origin::officer, "officer"sv}};

cdp::Error refused(std::string reason, std::string message, std::string pointer) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message),
            .pointer = std::move(pointer)};
}

// What both the stored form and content_id() hold.
void write_content(cdp::ByteWriter& out, const Record& record) {
    out.u16(static_cast<std::uint16_t>(record.asserted.size()));
    for (const auto& token : record.asserted) out.raw(token.view());
    out.bytes(record.purpose);
    out.u16(static_cast<std::uint16_t>(record.channels.size()));
    for (const auto& channel : record.channels) out.bytes(channel);
    out.u8(static_cast<std::uint8_t>(record.state));
    out.u8(static_cast<std::uint8_t>(record.scope));
    out.i64(cdp::milliseconds_of(record.time));
    out.u8(record.valid_until ? 1 : 0);
    if (record.valid_until) out.i64(cdp::milliseconds_of(*record.valid_until));
    out.u8(static_cast<std::uint8_t>(record.origin));
    out.bytes(record.source).bytes(record.method);
    out.bytes(record.notice.id).bytes(record.notice.version).bytes(record.notice.hash);
    out.bytes(record.actor);
}

cdp::RecordId read_id(cdp::ByteReader& in) {
    const auto bytes = in.raw(sizeof(cdp::RecordId));
    return in.ok() ? cdp::RecordId::from(bytes) : cdp::RecordId{};
}

// False when an enum's byte is not a value of it.
bool read_content(cdp::ByteReader& in, Record& record) {
    const auto tokens = in.u16();
    for (std::uint16_t i = 0; i < tokens && in.ok(); ++i) {
        const auto bytes = in.raw(sizeof(cdp::Token));
        if (in.ok()) record.asserted.push_back(cdp::Token::from(bytes));
    }
    record.purpose = in.bytes();
    const auto channels = in.u16();
    for (std::uint16_t i = 0; i < channels && in.ok(); ++i)
        record.channels.emplace_back(in.bytes());
    const auto state = read_enum(in, State::objected);
    const auto scope = read_enum(in, Scope::person);
    record.time = cdp::timestamp_of(in.i64());
    if (in.u8() != 0) record.valid_until = cdp::timestamp_of(in.i64());
    const auto origin = read_enum(in, Origin::officer);
    record.source = in.bytes();
    record.method = in.bytes();
    record.notice.id = in.bytes();
    record.notice.version = in.bytes();
    record.notice.hash = in.bytes();
    record.actor = in.bytes();
    if (!state || !scope || !origin) return false;
    record.state = *state;
    record.scope = *scope;
    record.origin = *origin;
    return true;
}

}  // namespace

std::string_view to_string(State value) {
    return kStates.name(value);
}
std::optional<State> parse_state(std::string_view name) {
    return kStates.value(name);
}
std::string_view to_string(Scope value) {
    return kScopes.name(value);
}
std::optional<Scope> parse_scope(std::string_view name) {
    return kScopes.value(name);
}
std::string_view to_string(Origin value) {
    return kOrigins.name(value);
}
std::optional<Origin> parse_origin(std::string_view name) {
    return kOrigins.value(name);
}

cdp::Result<void> check(const Record& record) {
    if (record.asserted.empty())
        return refused("no_identifier", "A consent names at least one identifier.", "/identifiers");
    if (record.asserted.size() > kAssertedMax)
        return refused("too_many_identifiers", "A consent names at most 64 identifiers.",
                       "/identifiers");
    if (record.purpose.empty())
        return refused("no_purpose", "A consent names a purpose.", "/purpose");
    if (record.channels.size() > kChannelsMax)
        return refused("too_many_channels", "A consent names at most 64 channels.", "/channels");
    if (std::ranges::find(record.channels, std::string{}) != record.channels.end())
        return refused("empty_channel", "A channel has a name.", "/channels");
    if (record.valid_until && *record.valid_until <= record.time)
        return refused("never_valid", "validUntil lies after time.", "/validUntil");

    const auto too_long = [](const std::string& text) { return text.size() > kRecordTextMax; };
    const std::pair<const std::string*, const char*> texts[] = {
        {&record.purpose, "/purpose"},
        {&record.source, ""},
        {&record.method, "/method"},
        {&record.notice.id, "/notice/id"},
        {&record.notice.version, "/notice/version"},
        {&record.notice.hash, "/notice/hash"},
        {&record.actor, ""}};
    for (const auto& [text, pointer] : texts)
        if (too_long(*text))
            return refused("too_long", "A text of a consent has at most 1024 bytes.", pointer);
    if (std::ranges::any_of(record.channels, too_long))
        return refused("too_long", "A text of a consent has at most 1024 bytes.", "/channels");
    if (encode(record).size() > kRecordBytesMax)
        return refused("too_long", "A consent has at most 32 kB.", "");
    return cdp::Result<void>::ok();
}

std::string encode(const Record& record) {
    cdp::ByteWriter out;
    out.u8(kFormat).raw(record.id.view()).i64(cdp::milliseconds_of(record.received));
    write_content(out, record);
    return out.take();
}

cdp::Result<Record> decode(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    const auto format = in.u8();
    Record record;
    record.id = read_id(in);
    record.received = cdp::timestamp_of(in.i64());
    const bool known = read_content(in, record);
    // Encoding again also finds what reads but was never written: a flag of 2.
    if (format != kFormat || !known || !in.done() || encode(record) != bytes)
        return cdp::Error{.code = cdp::ErrorCode::corruption,
                          .reason = "consent_damaged",
                          .message = "A stored consent cannot be read.",
                          .detail = "a consent record has another form"};
    return record;
}

cdp::RecordId content_id(const Record& record) {
    cdp::ByteWriter out;
    out.raw("cdp-consent/record/v1");
    write_content(out, record);
    return short_id(out.str());
}

bool repeats(const Record& stored, Record again) {
    // What was cut had asked for a later time.
    const bool retimed = again.time == again.received || again.time > stored.time;
    if (stored.time == stored.received && retimed) again.time = stored.time;
    return content_id(stored) == content_id(again);
}

}  // namespace consent
