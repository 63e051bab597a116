#include "consent/tlog_proof.h"

#include "consent/base64.h"

namespace consent {
namespace {

constexpr std::string_view kMagic = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
// No tree of 2^64 leaves is higher.
constexpr std::size_t kPathMax = 64;

cdp::Error malformed(std::string message) {
    return {.code = cdp::ErrorCode::invalid_argument,
            .reason = "malformed_tlog_proof",
            .message = std::move(message)};
}

// nullopt when there is no whole line.
std::optional<std::string_view> take_line(std::string_view& text) {
    const auto end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

}  // namespace

std::string render(const TlogProof& proof) {
    std::string text(kMagic);
    if (proof.extra) text.append(kExtra).append(to_base64(*proof.extra)).append("\n");
    text.append(kIndex).append(std::to_string(proof.index)).append("\n");
    for (const Sha256& hash : proof.path) text.append(to_base64(view(hash))).append("\n");
    return text.append("\n").append(proof.checkpoint);
}

cdp::Result<TlogProof> parse_tlog_proof(std::string_view text) {
    if (!text.starts_with(kMagic)) return malformed("That is no tlog-proof of version 1.");
    text.remove_prefix(kMagic.size());
    TlogProof proof;
    auto line = take_line(text);
    if (line && line->starts_with(kExtra)) {
        proof.extra = from_base64(line->substr(kExtra.size()));
        if (!proof.extra) return malformed("The extra line is not base64.");
        line = take_line(text);
    }
    const auto index = line && line->starts_with(kIndex)
                           ? parse_decimal(line->substr(kIndex.size()))
                           : std::nullopt;
    if (!index) return malformed("The index line is missing or no number.");
    proof.index = *index;
    for (line = take_line(text); line && !line->empty(); line = take_line(text)) {
        const auto hash = parse_hash(*line);
        if (!hash || proof.path.size() == kPathMax) return malformed("The path is not of hashes.");
        proof.path.push_back(*hash);
    }
    if (!line || text.empty()) return malformed("The checkpoint is missing.");
    proof.checkpoint = text;
    return proof;
}

cdp::Result<SignedCheckpoint> verify(const TlogProof& proof, std::string_view entry,
                                     std::span<const VerifierKey> known) {
    auto signed_by_log = CDP_TRY(open_checkpoint(proof.checkpoint, known));
    TreeHasher hasher;
    const Inclusion claim{.index = proof.index,
                          .size = signed_by_log.checkpoint.size,
                          .leaf = hasher.leaf(entry),
                          .root = signed_by_log.checkpoint.root};
    if (!verify(hasher, claim, proof.path))
        return cdp::Error{.code = cdp::ErrorCode::invalid_argument,
                          .reason = "proof_invalid",
                          .message = "The proof does not lead from the entry to the checkpoint."};
    return signed_by_log;
}

}  // namespace consent
