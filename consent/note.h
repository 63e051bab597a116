#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"

// C2SP signed-note: a text with signatures that anybody's tools can check. Pure.
namespace consent {

enum class SignatureType : std::uint8_t { ed25519 = 1 };

// A public key and the name it signs under: name+8 hex digits+base64(type ‖ key).
struct VerifierKey {
    std::string name = {};
    SignatureType type = SignatureType::ed25519;
    std::array<std::uint8_t, 32> key = {};

    // The first four bytes of SHA-256(name ‖ newline ‖ type ‖ key).
    std::uint32_t id() const;
    std::string str() const;

    friend bool operator==(const VerifierKey&, const VerifierKey&) = default;
};

// Error invalid_argument (malformed_vkey): not a key, its id is not its own, or a type that is not
// understood.
cdp::Result<VerifierKey> parse_vkey(std::string_view text);

// Not empty, no white space, no plus sign, valid UTF-8.
bool is_key_name(std::string_view name);

// Signs with the Ed25519 key that a seed makes. Wiped when it dies.
class NoteSigner {
public:
    using Seed = std::array<std::uint8_t, 32>;

    NoteSigner(std::string name, const Seed& seed);
    ~NoteSigner();
    NoteSigner(const NoteSigner&) = delete;
    NoteSigner& operator=(const NoteSigner&) = delete;

    const VerifierKey& verifier() const { return verifier_; }

    // The whole note. `text` must be one: see is_note_text.
    std::string sign(std::string_view text) const;

private:
    VerifierKey verifier_;
    std::array<std::uint8_t, 64> secret_;
};

// Valid UTF-8 that ends with a newline and holds no other control character.
bool is_note_text(std::string_view text);

inline constexpr std::size_t kNoteBytesMax = 1'000'000;
inline constexpr std::size_t kNoteSignaturesMax = 100;

struct OpenedNote {
    std::string text;
    std::vector<VerifierKey> signers;  // of the known keys: whose signature holds, each once
};

// The text of a note that one of the known keys has signed. Signatures of others are ignored; a
// signature of a known key that does not hold refuses the whole note. Errors invalid_argument:
// malformed_note, signature_invalid, signer_unknown (none of the keys has signed it).
cdp::Result<OpenedNote> open_note(std::string_view note, std::span<const VerifierKey> known);

}  // namespace consent
