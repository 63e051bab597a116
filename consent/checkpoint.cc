#include "consent/checkpoint.h"

#include <algorithm>
#include <charconv>

#include "consent/base64.h"
#include "consent/merkle.h"

namespace consent {
namespace {

cdp::Error malformed(std::string message) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = "malformed_checkpoint",
            .message = std::move(message)};
}

// Up to the newline, which is dropped.
std::string_view take_line(std::string_view& text) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<Sha256> parse_hash(std::string_view base64) {
    const auto bytes = from_base64(base64);
    if (!bytes || bytes->size() != sizeof(Sha256)) return std::nullopt;
    Sha256 hash;
    std::ranges::copy(*bytes, hash.begin());
    return hash;
}

std::string render(const Checkpoint& checkpoint) {
    return checkpoint.origin + '\n' + std::to_string(checkpoint.size) + '\n' +
           to_base64(view(checkpoint.root)) + '\n';
}

cdp::Result<Checkpoint> parse_checkpoint(std::string_view text) {
    if (!is_note_text(text)) return malformed("The checkpoint is not plain text.");
    Checkpoint checkpoint{.origin = std::string(take_line(text))};
    if (checkpoint.origin.empty()) return malformed("The checkpoint has no origin.");
    const auto size = parse_decimal(take_line(text));
    if (!size) return malformed("The checkpoint's size is not a number.");
    const auto root = parse_hash(take_line(text));
    if (!root) return malformed("The checkpoint's root is not a hash.");
    checkpoint.size = *size;
    checkpoint.root = *root;
    if (*size == 0 && *root != empty_root()) return malformed("An empty tree has another root.");
    while (!text.empty())
        if (take_line(text).empty()) return malformed("An extension line is empty.");
    return checkpoint;
}

cdp::Result<SignedCheckpoint> open_checkpoint(std::string_view note,
                                              std::span<const VerifierKey> known) {
    const auto opened = CDP_TRY(open_note(note, known));
    SignedCheckpoint out{.checkpoint = CDP_TRY(parse_checkpoint(opened.text)),
                         .note = std::string(note)};
    const auto& origin = out.checkpoint.origin;
    if (std::ranges::none_of(opened.signers, [&](const auto& key) { return key.name == origin; }))
        return cdp::Error{.code = cdp::ErrorCode::invalid_argument,
                          .reason = "origin_foreign",
                          .message = "The checkpoint is of another log than its signer's."};
    return out;
}

}  // namespace consent
