#include "cdp/rectification_facts.h"

#include <algorithm>

#include "cdp/base/bytes.h"
#include "consent/entry.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
const Token kAll = Token::from("all corrections.");

storage::SubjectKey key_of(const storage::Vault& vault) {
    return vault.own_key("rectifications");
}

void put_texts(ByteWriter& out, const std::vector<std::string>& texts) {
    out.u16(static_cast<std::uint16_t>(texts.size()));
    for (const auto& text : texts) out.bytes(text);
}

std::vector<std::string> texts_in(ByteReader& in) {
    std::vector<std::string> out;
    for (auto n = in.u16(); n > 0 && in.ok(); --n) out.emplace_back(in.bytes());
    return out;
}

}  // namespace

std::string rectifications_prefix() {
    return storage::KeyWriter(storage::Space::privacy, kAll).str();
}

std::string rectification_key(const PrivacyRequestId& id) {
    return storage::KeyWriter(storage::Space::privacy, kAll).id(id).str();
}

std::string encode_rectification(const Rectification& rectification) {
    ByteWriter out;
    out.u8(kFormat).raw(rectification.id.view()).i64(milliseconds_of(rectification.time));
    out.bytes(rectification.author).bytes(rectification.reason);
    put_texts(out, rectification.traits);
    put_texts(out, rectification.identifiers_stay);
    out.u64(rectification.identifiers);
    out.u16(static_cast<std::uint16_t>(rectification.recipients.size()));
    for (const auto& [channel, one] : rectification.recipients)
        out.bytes(channel).bytes(one.recipient).u64(one.times).i64(milliseconds_of(one.last));
    return out.take();
}

std::string seal_rectification(const storage::Vault& vault, std::string_view key,
                               const Rectification& rectification) {
    const auto plain = ByteWriter()
                           .raw(consent::view(rectification.salt))
                           .raw(encode_rectification(rectification))
                           .take();
    return storage::Vault::seal(key_of(vault), key, plain);
}

Result<Rectification> open_rectification(const storage::Vault& vault, std::string_view key,
                                         std::string_view sealed) {
    const auto plain = CDP_TRY(storage::Vault::open(key_of(vault), key, sealed));
    ByteReader in(plain);
    Rectification out;
    std::ranges::copy(in.raw(out.salt.size()), out.salt.begin());
    const auto format = in.u8();
    out.id = in.id<PrivacyRequestId>();
    out.time = timestamp_of(in.i64());
    out.author = in.bytes();
    out.reason = in.bytes();
    out.traits = texts_in(in);
    out.identifiers_stay = texts_in(in);
    out.identifiers = in.u64();
    for (auto n = in.u16(); n > 0 && in.ok(); --n) {
        auto& one = out.recipients[std::string(in.bytes())];
        one.recipient = in.bytes();
        one.times = in.u64();
        one.last = timestamp_of(in.i64());
    }
    if (!in.done() || format != kFormat || key != rectification_key(out.id))
        return damaged("a rectification that cannot be read");
    return out;
}

Result<void> each_rectification(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const PrivacyRequestId& id, const Result<consent::Sha256>&)>& visit) {
    return snapshot.scan(
        rectifications_prefix(), "", [&](std::string_view key, std::string_view sealed) {
            const auto id = storage::KeyReader(key).id<PrivacyRequestId>();
            const auto one = open_rectification(vault, key, sealed);
            if (!one) return visit(id, one.error());
            return visit(id, consent::commitment(consent::EntryType::request_status, one->salt,
                                                 encode_rectification(*one)));
        });
}

}  // namespace cdp
