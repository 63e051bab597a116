#include "cdp/privacy_request_bytes.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "consent/names.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;

template <typename Enum>
std::uint8_t byte_of(Enum value) {
    return static_cast<std::uint8_t>(value);
}

// 0: none.
template <typename Enum>
std::uint8_t byte_of(const std::optional<Enum>& value) {
    return value ? byte_of(*value) : std::uint8_t{0};
}

void put_time(ByteWriter& out, const std::optional<Timestamp>& time) {
    out.u8(time ? 1 : 0);
    if (time) out.i64(milliseconds_of(*time));
}

void put_texts(ByteWriter& out, const std::vector<std::string>& texts) {
    out.u32(static_cast<std::uint32_t>(texts.size()));
    for (const auto& text : texts) out.bytes(text);
}

void put_traits(ByteWriter& out, const std::map<std::string, std::string>& traits) {
    out.u32(static_cast<std::uint32_t>(traits.size()));
    for (const auto& [name, value] : traits) out.bytes(name).bytes(value);
}

// Reads what the functions above wrote, and remembers what no such thing could have been.
class Reading {
public:
    explicit Reading(std::string_view bytes) : in(bytes) { fits = in.u8() == kFormat; }

    template <typename Enum>
    Enum word(Enum last) {
        const auto value = consent::read_enum(in, last);
        fits = fits && value;
        return value.value_or(last);
    }
    template <typename Enum>
    std::optional<Enum> word_or_none(Enum last) {
        const auto n = in.u8();
        fits = fits && n <= byte_of(last);
        return n == 0 ? std::nullopt : std::optional(static_cast<Enum>(n));
    }
    bool flag() {
        const auto n = in.u8();
        fits = fits && n <= 1;
        return n == 1;
    }
    std::string text() { return std::string(in.bytes()); }
    consent::Sha256 hash() {
        consent::Sha256 out{};
        std::ranges::copy(in.raw(out.size()), out.begin());
        return out;
    }
    Timestamp time() { return timestamp_of(in.i64()); }
    std::optional<Timestamp> time_or_none() {
        if (!flag()) return std::nullopt;
        return time();
    }
    std::vector<std::string> texts() {
        std::vector<std::string> out;
        for (auto n = in.u32(); n > 0 && in.ok(); --n) out.push_back(text());
        return out;
    }
    std::map<std::string, std::string> traits() {
        std::map<std::string, std::string> out;
        for (auto n = in.u32(); n > 0 && in.ok(); --n) {
            auto name = text();
            out[std::move(name)] = text();
        }
        return out;
    }
    bool done() const { return fits && in.done(); }

    ByteReader in;
    bool fits = false;
};

void put_results(ByteWriter& out, const PrivacyResults& results) {
    out.u8(results.matched ? 1 : 0);
    for (const auto* list : {&results.erasures, &results.records, &results.lifted, &results.made})
        put_texts(out, *list);
    out.u32(static_cast<std::uint32_t>(results.counts.size()));
    for (const auto& [name, count] : results.counts) out.bytes(name).u64(count);
    out.u32(static_cast<std::uint32_t>(results.stayed.size()));
    for (const auto& [why, types] : results.stayed) {
        out.bytes(why);
        put_texts(out, types);
    }
    put_time(out, results.until);
}

PrivacyResults take_results(Reading& from) {
    PrivacyResults out;
    out.matched = from.flag();
    for (auto* list : {&out.erasures, &out.records, &out.lifted, &out.made}) *list = from.texts();
    for (auto n = from.in.u32(); n > 0 && from.in.ok(); --n) {
        auto name = from.text();
        out.counts[std::move(name)] = from.in.u64();
    }
    for (auto n = from.in.u32(); n > 0 && from.in.ok(); --n) {
        auto why = from.text();
        out.stayed[std::move(why)] = from.texts();
    }
    out.until = from.time_or_none();
    return out;
}

void put_request(ByteWriter& out, const PrivacyRequest& one) {
    out.u8(byte_of(one.kind)).u8(byte_of(one.protocol)).u8(byte_of(one.state));
    out.bytes(one.regime).bytes(one.sender).bytes(one.external_id);
    put_texts(out, one.purposes);
    out.bytes(one.suppression).bytes(one.verified_by);
    out.u8(one.whole_person ? 1 : 0).u32(one.asked);
    out.i64(milliseconds_of(one.received));
    put_time(out, one.acknowledge_by);
    out.i64(milliseconds_of(one.answer_by));
    put_time(out, one.extended_until);
    out.bytes(one.extended_for);
    put_time(out, one.not_before);
    out.u8(byte_of(one.denial)).bytes(one.blocked);
    put_results(out, one.results);
    out.bytes(one.context).u8(one.callbacks ? 1 : 0).u32(one.steps_taken);
}

void take_request(Reading& from, PrivacyRequest& out) {
    out.kind = from.word(kPrivacyKindLast);
    out.protocol = from.word(kPrivacyProtocolLast);
    out.state = from.word(kPrivacyStateLast);
    out.regime = from.text();
    out.sender = from.text();
    out.external_id = from.text();
    out.purposes = from.texts();
    out.suppression = from.text();
    out.verified_by = from.text();
    out.whole_person = from.flag();
    out.asked = from.in.u32();
    out.received = from.time();
    out.acknowledge_by = from.time_or_none();
    out.answer_by = from.time();
    out.extended_until = from.time_or_none();
    out.extended_for = from.text();
    out.not_before = from.time_or_none();
    out.denial = from.word_or_none(kPrivacyDenialLast);
    out.blocked = from.text();
    out.results = take_results(from);
    out.context = from.text();
    out.callbacks = from.flag();
    out.steps_taken = from.in.u32();
}

}  // namespace

std::string encode(const PrivacyRow& row) {
    ByteWriter out;
    out.u8(kFormat);
    put_request(out, row.request);
    out.raw(row.content.view());
    for (const auto* tokens : {&row.plan, &row.whole}) {
        out.u32(static_cast<std::uint32_t>(tokens->size()));
        for (const Token& token : *tokens) out.raw(token.view());
    }
    out.i64(milliseconds_of(row.begun)).u32(row.owed).u32(row.attempts);
    put_time(out, row.ready_at);
    return out.take();
}

std::optional<PrivacyRow> decode_privacy_row(std::string_view bytes) {
    Reading from(bytes);
    PrivacyRow out;
    take_request(from, out.request);
    out.content = from.in.id<Token>();
    for (auto* tokens : {&out.plan, &out.whole})
        for (auto n = from.in.u32(); n > 0 && from.in.ok(); --n)
            tokens->push_back(from.in.id<Token>());
    out.begun = from.time();
    out.owed = from.in.u32();
    out.attempts = from.in.u32();
    out.ready_at = from.time_or_none();
    if (!from.done()) return std::nullopt;
    return out;
}

std::string encode_without_salt(const PrivacyStep& step) {
    return ByteWriter()
        .u8(kFormat)
        .u32(step.number)
        .i64(milliseconds_of(step.time))
        .bytes(step.author)
        .u8(byte_of(step.act))
        .u8(byte_of(step.from))
        .u8(byte_of(step.to))
        .bytes(step.code)
        .bytes(step.detail)
        .raw(consent::view(step.remark))
        .take();
}

std::string encode(const PrivacyStep& step) {
    return encode_without_salt(step).append(consent::view(step.salt));
}

std::optional<PrivacyStep> decode_privacy_step(std::string_view bytes) {
    Reading from(bytes);
    PrivacyStep out;
    out.number = from.in.u32();
    out.time = from.time();
    out.author = from.text();
    out.act = from.word(kPrivacyActLast);
    out.from = from.word_or_none(kPrivacyStateLast);
    out.to = from.word(kPrivacyStateLast);
    out.code = from.text();
    out.detail = from.text();
    out.remark = from.hash();
    out.salt = from.hash();
    if (!from.done()) return std::nullopt;
    return out;
}

std::optional<SaidPrivacyStep> decode_said_step(std::string_view bytes) {
    if (bytes.size() < sizeof(PrivacyRequestId::bytes)) return std::nullopt;
    const auto request = PrivacyRequestId::from(bytes);
    // As it is stored its salt follows.
    const auto step = decode_privacy_step(
        std::string(bytes.substr(sizeof request.bytes)).append(consent::view(consent::Sha256{})));
    if (!step) return std::nullopt;
    return SaidPrivacyStep{request, *step};
}

std::string encode(const PrivacySubject& subject) {
    ByteWriter out;
    const auto& words = subject.words;
    out.u8(kFormat).bytes(subject.identifier.type).bytes(subject.identifier.value);
    out.bytes(words.reason);
    put_traits(out, words.traits);
    out.bytes(words.external_id).bytes(words.context);
    out.u32(static_cast<std::uint32_t>(words.remarks.size()));
    for (const auto& [step, remark] : words.remarks)
        out.u32(step).raw(consent::view(remark.salt)).bytes(remark.text);
    return out.take();
}

std::optional<PrivacySubject> decode_privacy_subject(std::string_view bytes) {
    Reading from(bytes);
    PrivacySubject out;
    out.identifier.type = from.text();
    out.identifier.value = from.text();
    auto& words = out.words;
    words.reason = from.text();
    words.traits = from.traits();
    words.external_id = from.text();
    words.context = from.text();
    for (auto n = from.in.u32(); n > 0 && from.in.ok(); --n) {
        auto& remark = words.remarks[from.in.u32()];
        remark.salt = from.hash();
        remark.text = from.text();
    }
    if (!from.done()) return std::nullopt;
    return out;
}

std::string encode_owed(const OwedRow& row) {
    return ByteWriter().u8(kFormat).u32(row.attempts).i64(milliseconds_of(row.not_before)).take();
}

std::optional<OwedRow> decode_owed(std::string_view bytes) {
    Reading from(bytes);
    OwedRow out;
    out.attempts = from.in.u32();
    out.not_before = from.time();
    if (!from.done()) return std::nullopt;
    return out;
}

}  // namespace cdp
