#include "storage/escrow.h"

#include <fcntl.h>
#include <sodium.h>

#include <cerrno>

#include "cdp/base/assert.h"
#include "cdp/base/ids.h"
#include "storage/file.h"
#include "storage/key_text.h"

namespace storage {
namespace {

constexpr std::string_view kEscrow = "cdp-escrow 1\n";
constexpr std::string_view kRecipient = "recipient = ";
constexpr std::string_view kSealed = "sealed = ";
constexpr std::string_view kPrivate = "cdp-escrow-private 1\n";
constexpr std::string_view kKey = "key = ";
constexpr std::size_t kFileBytesMax = 4 << 20;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// The value of the line `name` at the beginning of `text`, which then begins after it.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
    const auto end = text.find('\n');
    if (!text.starts_with(name) || end == text.npos) return std::nullopt;
    const auto value = text.substr(name.size(), end - name.size());
    text.remove_prefix(end + 1);
    return value;
}

cdp::Error damaged() {
    return {.code = cdp::ErrorCode::corruption,
            .reason = "escrow_damaged",
            .message = "The escrow is cut, edited or no escrow."};
}

cdp::Error foreign() {
    return {.code = cdp::ErrorCode::unavailable,
            .reason = "escrow_foreign",
            .message = "The escrow is sealed for another key."};
}

}  // namespace

EscrowPair EscrowPair::generate() {
    CDP_ASSERT(sodium_init() >= 0);
    EscrowPair pair;
    crypto_box_keypair(pair.recipient.data(), pair.private_half.data());
    return pair;
}

std::optional<EscrowRecipient> parse_recipient(std::string_view hex) {
    return parse_key(hex);
}

std::string to_hex(const EscrowRecipient& recipient) {
    return cdp::to_hex(view_of(recipient));
}

cdp::Result<void> write_private_half(const std::string& path, const SecretKey& private_half) {
    std::string text(kPrivate);
    text.append(kKey).append(cdp::to_hex(view_of(private_half))).append("\n");
    text.append(check_line(text));
    auto written = write_new_file(path, text);
    sodium_memzero(text.data(), text.size());
    return written;
}

cdp::Result<SecretKey> read_private_half(const std::string& path) {
    auto text = CDP_TRY(read_secret_file(path, "private_key", kFileBytesMax));
    std::optional<SecretKey> key;
    if (auto lines = checked_lines(text); lines && lines->starts_with(kPrivate)) {
        lines->remove_prefix(kPrivate.size());
        if (const auto hex = take_line(*lines, kKey); hex && lines->empty()) key = parse_key(*hex);
    }
    sodium_memzero(text.data(), text.size());
    if (!key)
        return cdp::Error{.code = cdp::ErrorCode::corruption,
                          .reason = "private_key_damaged",
                          .message = "The private key is cut, edited or no private key.",
                          .detail = path};
    return *key;
}

cdp::Result<std::string> seal_escrow(const Keyring& keyring, const EscrowRecipient& recipient) {
    CDP_ASSERT(sodium_init() >= 0);
    auto plain = render_keyring(keyring);
    std::string sealed(plain.size() + crypto_box_SEALBYTES, '\0');
    const bool ok = crypto_box_seal(reinterpret_cast<unsigned char*>(sealed.data()),
                                    bytes_of(plain), plain.size(), recipient.data()) == 0;
    sodium_memzero(plain.data(), plain.size());
    if (!ok)
        return cdp::Error{.code = cdp::ErrorCode::invalid_argument,
                          .reason = "recipient_weak",
                          .message = "Nothing can be sealed for this key.",
                          .pointer = "/recipient"};
    std::string text(kEscrow);
    text.append(kRecipient).append(to_hex(recipient)).append("\n");
    text.append(kSealed).append(cdp::to_hex(sealed)).append("\n");
    return text.append(check_line(text));
}

cdp::Result<Keyring> open_escrow(std::string_view text, const SecretKey& private_half) {
    CDP_ASSERT(sodium_init() >= 0);
    auto lines = checked_lines(text);
    if (!lines || !lines->starts_with(kEscrow)) return damaged();
    lines->remove_prefix(kEscrow.size());
    const auto recipient = take_line(*lines, kRecipient);
    const auto hex = take_line(*lines, kSealed);
    if (!recipient || !hex || !lines->empty()) return damaged();
    const auto wanted = parse_recipient(*recipient);
    const auto sealed = cdp::from_hex(*hex);
    if (!wanted || !sealed || sealed->size() < crypto_box_SEALBYTES) return damaged();

    EscrowRecipient own;
    crypto_scalarmult_base(own.data(), private_half.data());
    if (own != *wanted) return foreign();
    std::string plain(sealed->size() - crypto_box_SEALBYTES, '\0');
    if (crypto_box_seal_open(reinterpret_cast<unsigned char*>(plain.data()), bytes_of(*sealed),
                             sealed->size(), own.data(), private_half.data()) != 0)
        return damaged();
    auto keyring = parse_keyring(plain);
    sodium_memzero(plain.data(), plain.size());
    if (!keyring) return damaged();
    return *std::move(keyring);
}

cdp::Result<Keyring> read_escrow(const std::string& path, const SecretKey& private_half) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!file.ok() && (errno == ENOENT || errno == ENOTDIR))
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "escrow_missing",
                          .message = "The escrow is not there.",
                          .detail = path};
    if (!file.ok()) return system_error("open " + path, errno);
    auto keyring = open_escrow(CDP_TRY(read_all(file.number(), kFileBytesMax)), private_half);
    if (keyring) return keyring;
    auto error = keyring.error();
    error.detail = path;
    return error;
}

}  // namespace storage
