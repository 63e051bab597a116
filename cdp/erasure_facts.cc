#include "cdp/erasure_facts.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cdp/base/bytes.h"
#include "cdp/facts.h"
#include "storage/key.h"

namespace cdp {
namespace {

// The first when it can say all of it: what the ledger commits to encodes to the same bytes for
// ever.
constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kSuppressionsFormat = 2;
const Token kAll = Token::from("all erasures....");

using Count = std::pair<const char*, std::uint64_t ErasedCounts::*>;
constexpr std::array kCounts{Count{"identifiers", &ErasedCounts::identifiers},
                             Count{"events", &ErasedCounts::events},
                             Count{"traits", &ErasedCounts::traits},
                             Count{"consents", &ErasedCounts::consents},
                             Count{"links", &ErasedCounts::links},
                             Count{"groups", &ErasedCounts::groups},
                             Count{"disclosures", &ErasedCounts::disclosures},
                             Count{"signals", &ErasedCounts::signals}};

storage::SubjectKey key_of(const storage::Vault& vault) {
    return vault.own_key("erasures");
}

std::uint8_t format_of(const Erasure& erasure) {
    return erasure.suppressions > 0 || erasure.for_ever ? kSuppressionsFormat : kFormat;
}

void put_outcome(ByteWriter& out, const Erasure& erasure) {
    out.u8(static_cast<std::uint8_t>(erasure.scope))
        .i64(milliseconds_of(erasure.requested))
        .i64(milliseconds_of(erasure.completed));
    for (const auto& [name, member] : kCounts) out.u64(erasure.counts.*member);
    out.u64(erasure.entries).raw(consent::view(erasure.root));
    out.u16(static_cast<std::uint16_t>(erasure.recipients.size()));
    for (const auto& [channel, one] : erasure.recipients)
        out.bytes(channel).bytes(one.recipient).u64(one.times).i64(milliseconds_of(one.last));
    if (format_of(erasure) == kSuppressionsFormat)
        out.u64(erasure.suppressions).u8(erasure.for_ever ? 1 : 0);
}

consent::Sha256 hash_in(ByteReader& in) {
    consent::Sha256 hash{};
    std::ranges::copy(in.raw(hash.size()), hash.begin());
    return hash;
}

// What put_outcome wrote.
void take_outcome(ByteReader& in, std::uint8_t format, Erasure& into) {
    into.scope = static_cast<ErasureScope>(in.u8());
    into.requested = timestamp_of(in.i64());
    into.completed = timestamp_of(in.i64());
    for (const auto& [name, member] : kCounts) into.counts.*member = in.u64();
    into.entries = in.u64();
    into.root = hash_in(in);
    for (auto n = in.u16(); n > 0 && in.ok(); --n) {
        const std::string channel(in.bytes());
        auto& one = into.recipients[channel];
        one.recipient = in.bytes();
        one.times = in.u64();
        one.last = timestamp_of(in.i64());
    }
    if (format != kSuppressionsFormat) return;
    into.suppressions = in.u64();
    into.for_ever = in.u8() != 0;
}

}  // namespace

std::string_view to_string(ErasureScope value) {
    return value == ErasureScope::person ? "person" : "identifier";
}

std::optional<ErasureScope> parse_erasure_scope(std::string_view name) {
    for (const auto scope : {ErasureScope::person, ErasureScope::identifier})
        if (to_string(scope) == name) return scope;
    return std::nullopt;
}

void put_part(storage::Transaction& transaction, const PrivacyRequestId& id, std::uint32_t number,
              std::span<const FiledEvent> events) {
    ByteWriter out;
    out.u8(kFormat);
    for (const auto& [event, home, time] : events)
        out.raw(event.view()).raw(home.view()).i64(milliseconds_of(time));
    transaction.put(storage::KeyWriter(storage::Space::privacy, id).number32(number).str(),
                    out.take());
}

Result<std::optional<EventPart>> first_part(const storage::Snapshot& snapshot,
                                            const PrivacyRequestId& id) {
    EventPart part;
    std::string bytes;
    CDP_CHECK(snapshot.scan(storage::KeyWriter(storage::Space::privacy, id).str(), "",
                            [&](std::string_view key, std::string_view value) {
                                part.key = key;
                                bytes = value;
                                return false;
                            }));
    if (part.key.empty()) return std::optional<EventPart>{};
    ByteReader in(bytes);
    const auto format = in.u8();
    while (in.ok() && !in.done()) {
        FiledEvent event{.id = in.id<EventId>()};
        event.home = in.id<Token>();
        event.time = timestamp_of(in.i64());
        part.events.push_back(event);
    }
    if (!in.done() || format != kFormat) return damaged("an erasure's events that cannot be read");
    return std::optional(std::move(part));
}

std::string erasures_prefix() {
    return storage::KeyWriter(storage::Space::privacy, kAll).str();
}

std::string erasure_key(const PrivacyRequestId& id) {
    return storage::KeyWriter(storage::Space::privacy, kAll).id(id).str();
}

std::string encode_outcome(const Erasure& erasure) {
    ByteWriter out;
    out.u8(format_of(erasure)).raw(erasure.id.view());
    put_outcome(out, erasure);
    return out.take();
}

std::optional<Erasure> decode_outcome(std::string_view bytes) {
    ByteReader in(bytes);
    const auto format = in.u8();  // as all the rest, it is that which is written again
    Erasure out{.id = in.id<PrivacyRequestId>(), .state = Erasure::State::completed};
    take_outcome(in, format, out);
    if (!in.done() || encode_outcome(out) != bytes) return std::nullopt;
    return out;
}

namespace {

// Beside the state, where sessions are bounded: rows from before that have none.
constexpr std::uint8_t kSessions = 0x80;

void put_tokens(ByteWriter& out, const std::vector<Token>& tokens) {
    out.u32(static_cast<std::uint32_t>(tokens.size()));
    for (const Token& token : tokens) out.raw(token.view());
}

std::vector<Token> take_tokens(ByteReader& in) {
    std::vector<Token> out;
    for (auto n = in.u32(); n > 0 && in.ok(); --n) out.push_back(in.id<Token>());
    return out;
}

}  // namespace

std::string seal_erasure(const storage::Vault& vault, std::string_view key,
                         const Erasure& erasure) {
    ByteWriter out;
    const auto sessions = erasure.sessions_on ? kSessions : std::uint8_t{0};
    out.u8(format_of(erasure)).u8(static_cast<std::uint8_t>(erasure.state) | sessions);
    out.bytes(erasure.author).bytes(erasure.reason).raw(consent::view(erasure.salt));
    put_tokens(out, erasure.tokens);
    if (erasure.sessions_on) put_tokens(out, *erasure.sessions_on);
    put_outcome(out, erasure);
    return storage::Vault::seal(key_of(vault), key, out.str());
}

Result<Erasure> open_erasure(const storage::Vault& vault, std::string_view key,
                             std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(key_of(vault), key, sealed));
    ByteReader in(plain);
    storage::KeyReader at(key);
    Erasure out{.id = at.id<PrivacyRequestId>()};
    const auto format = in.u8();
    const auto first = in.u8();
    const auto state = static_cast<std::uint8_t>(first & ~kSessions);
    out.state = static_cast<Erasure::State>(state);
    out.author = in.bytes();
    out.reason = in.bytes();
    out.salt = hash_in(in);
    out.tokens = take_tokens(in);
    if ((first & kSessions) != 0) out.sessions_on = take_tokens(in);
    take_outcome(in, format, out);
    const auto scope = static_cast<std::uint8_t>(out.scope);
    const bool known =
        format == format_of(out) && state >= 1 && state <= 3 && scope >= 1 && scope <= 2;
    const bool done = out.state == Erasure::State::completed;
    if (!in.done() || !at.ok() || !known || done != out.tokens.empty())
        return damaged("an erasure that cannot be read");
    return out;
}

std::map<std::string, std::uint64_t> counts_by_name(const ErasedCounts& counts) {
    std::map<std::string, std::uint64_t> out;
    for (const auto& [name, member] : kCounts) out[name] = counts.*member;
    return out;
}

void write_counts(consent::JsonWriter& out, const ErasedCounts& counts) {
    out.open("erased");
    put_counts(out, counts);
    out.close();
}

void put_counts(consent::JsonWriter& out, const ErasedCounts& counts) {
    for (const auto& [name, member] : kCounts)
        out.number(name, static_cast<std::int64_t>(counts.*member));
}

void write_kept(consent::JsonWriter& out, const Erasure& erasure) {
    out.open_list("kept");
    out.open()
        .text("what", "tombstones")
        .text("basis", erasure.for_ever
                           ? "A keyed hash of each identifier and the time, so that nothing comes "
                             "back, ever."
                           : "A keyed hash of each identifier and the time, so that nothing from "
                             "before comes back.")
        .close();
    if (erasure.suppressions > 0)
        out.open()
            .text("what", "suppressions")
            .number("count", static_cast<std::int64_t>(erasure.suppressions))
            .text("basis",
                  "A keyed hash of who is never to be contacted again, the reason and the time.")
            .close();
    out.open()
        .text("what", "event_marks")
        .text("basis",
              "A keyed hash of each event that was on an identifier of several people, so that it "
              "does not come back.")
        .close();
    if (erasure.entries > 0)
        out.open()
            .text("what", "ledger_entries")
            .number("count", static_cast<std::int64_t>(erasure.entries))
            .text(
                "basis",
                "Salted hashes; the salts went with the records. Other people's proofs need them.")
            .close();
    if (!erasure.recipients.empty())
        out.open()
            .text("what", "disclosure_batches")
            .text("basis", "That something was disclosed to whom and when, without whose it was.")
            .close();
    out.open()
        .text("what", "withdrawals")
        .text("basis", "When something was withdrawn under a keyed hash, as recipients were told.")
        .close();
    out.open()
        .text("what", "privacy_requests")
        .text("basis", "What was asked and when, and what was done, without who asked.")
        .close();
    out.close_list();
}

}  // namespace cdp
