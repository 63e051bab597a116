#include "consent/note.h"

#include <sodium.h>

#include <algorithm>
#include <optional>

#include "cdp/base/assert.h"
#include "cdp/base/bytes.h"
#include "cdp/base/ids.h"
#include "consent/base64.h"
#include "consent/ed25519.h"
#include "consent/sha256.h"
#include "consent/utf8.h"

namespace consent {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a space

cdp::Error refused(std::string reason, std::string message) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = std::move(reason),
            .message = std::move(message)};
}

cdp::Error malformed(std::string message) {
    return refused("malformed_note", std::move(message));
}

cdp::Error malformed_vkey(std::string message) {
    return refused("malformed_vkey", std::move(message));
}

bool is_space(char32_t point) {
    return (point >= 0x09 && point <= 0x0d) || point == 0x20 || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

template <typename Allowed>
bool all_points(std::string_view text, const Allowed& allowed) {
    while (!text.empty()) {
        const auto point = take_code_point(text);
        if (!point || !allowed(*point)) return false;
    }
    return true;
}

struct SignatureLine {
    std::string_view name;
    std::uint32_t id = 0;
    std::string signature = {};
};

std::optional<SignatureLine> parse_line(std::string_view line) {
    if (!line.starts_with(kDash)) return std::nullopt;
    line.remove_prefix(kDash.size());
    const auto space = line.find(' ');
    if (space == line.npos || !is_key_name(line.substr(0, space))) return std::nullopt;
    const auto blob = from_base64(line.substr(space + 1));
    if (!blob || blob->size() < 5) return std::nullopt;
    cdp::ByteReader in(*blob);
    SignatureLine out{.name = line.substr(0, space)};
    out.id = in.u32();
    out.signature = in.rest();
    return out;
}

bool holds(const VerifierKey& key, std::string_view text, std::string_view signature) {
    return ed25519_holds({reinterpret_cast<const char*>(key.key.data()), key.key.size()}, text,
                         signature);
}

}  // namespace

std::uint32_t VerifierKey::id() const {
    cdp::ByteWriter bytes;
    bytes.raw(name).raw("\n").u8(static_cast<std::uint8_t>(type)).raw(view(key));
    const auto hash = sha256(bytes.str());
    return cdp::ByteReader(view(hash)).u32();
}

std::string VerifierKey::str() const {
    const auto number = cdp::ByteWriter().u32(id()).take();
    const auto typed = cdp::ByteWriter().u8(static_cast<std::uint8_t>(type)).raw(view(key)).take();
    return name + '+' + cdp::to_hex(number) + '+' + to_base64(typed);
}

cdp::Result<VerifierKey> parse_vkey(std::string_view text) {
    const auto first = text.find('+');
    const auto second = first == text.npos ? first : text.find('+', first + 1);
    if (second == text.npos) return malformed_vkey("A key is name+id+base64.");
    VerifierKey key{.name = std::string(text.substr(0, first))};
    if (!is_key_name(key.name)) return malformed_vkey("That cannot name a key.");
    const auto id = text.substr(first + 1, second - first - 1);
    const auto bytes = from_base64(text.substr(second + 1));
    if (!bytes || bytes->empty()) return malformed_vkey("The key is not base64.");
    if (bytes->front() != static_cast<char>(SignatureType::ed25519))
        return malformed_vkey("Keys of this type are not understood.");
    if (bytes->size() != 1 + key.key.size()) return malformed_vkey("The key has another length.");
    std::copy(bytes->begin() + 1, bytes->end(), key.key.begin());
    if (id != cdp::to_hex(cdp::ByteWriter().u32(key.id()).take()))
        return malformed_vkey("The id is not that of the key.");
    return key;
}

bool is_key_name(std::string_view name) {
    return !name.empty() &&
           all_points(name, [](char32_t point) { return point != '+' && !is_space(point); });
}

bool is_note_text(std::string_view text) {
    return text.ends_with('\n') &&
           all_points(text, [](char32_t point) { return point >= 0x20 || point == '\n'; });
}

NoteSigner::NoteSigner(std::string name, const Seed& seed) : verifier_{.name = std::move(name)} {
    CDP_ASSERT(is_key_name(verifier_.name));
    crypto_sign_seed_keypair(verifier_.key.data(), secret_.data(), seed.data());
}

NoteSigner::~NoteSigner() {
    sodium_memzero(secret_.data(), secret_.size());
}

std::string NoteSigner::sign(std::string_view text) const {
    CDP_ASSERT(is_note_text(text));
    std::array<unsigned char, crypto_sign_BYTES> signature;
    crypto_sign_detached(signature.data(), nullptr,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         secret_.data());
    const auto blob = cdp::ByteWriter()
                          .u32(verifier_.id())
                          .raw({reinterpret_cast<const char*>(signature.data()), signature.size()})
                          .take();
    std::string note(text);
    note += '\n';
    note.append(kDash).append(verifier_.name).append(" ").append(to_base64(blob)).append("\n");
    return note;
}

cdp::Result<OpenedNote> open_note(std::string_view note, std::span<const VerifierKey> known) {
    if (note.size() > kNoteBytesMax) return malformed("The note is too long.");
    if (!is_note_text(note)) return malformed("The note is not plain text.");
    const auto split = note.rfind("\n\n");
    if (split == note.npos) return malformed("The note has no signatures.");
    const auto text = note.substr(0, split + 1);
    auto lines = note.substr(split + 2);
    if (lines.empty()) return malformed("The note has no signatures.");

    OpenedNote opened{.text = std::string(text), .signers = {}};
    std::size_t count = 0;
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        const auto line = parse_line(lines.substr(0, end));
        lines.remove_prefix(end + 1);
        if (!line) return malformed("A signature line is malformed.");
        if (++count > kNoteSignaturesMax) return malformed("The note has too many signatures.");
        const auto key = std::ranges::find_if(known, [&](const VerifierKey& candidate) {
            return candidate.name == line->name && candidate.id() == line->id;
        });
        if (key == known.end()) continue;
        if (!holds(*key, text, line->signature))
            return refused("signature_invalid", "A signature of a known key does not hold.");
        if (std::ranges::find(opened.signers, *key) == opened.signers.end())
            opened.signers.push_back(*key);
    }
    if (opened.signers.empty())
        return refused("signer_unknown", "None of the known keys has signed the note.");
    return opened;
}

}  // namespace consent
