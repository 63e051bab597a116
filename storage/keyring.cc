#include "storage/keyring.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <system_error>

#include "cdp/base/assert.h"
#include "cdp/base/ids.h"
#include "storage/file.h"

namespace storage {
namespace {

constexpr std::string_view kMagic = "cdp-keyring 1\n";
constexpr std::string_view kEpoch = "epoch.";
constexpr std::string_view kLedger = "ledger.";  // then the origin
constexpr std::string_view kLedgerOrigin = "cdp.local/ledger/";
constexpr std::size_t kOriginBytesMax = 255;
constexpr std::size_t kKeyringBytesMax = 1 << 20;

std::string_view view(const SecretKey& key) {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

SecretKey random_key() {
    SecretKey key;
    randombytes_buf(key.data(), key.size());
    return key;
}

template <std::size_t kBytes>
std::string hash_hex(std::string_view bytes) {
    std::array<unsigned char, kBytes> hash;
    crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr,
                       0);
    return cdp::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

// Of the keys that never change, so that a new epoch leaves the keyring its name.
std::string fingerprint_of(const Keyring& keyring) {
    std::string keys = "cdp keyring fingerprint";
    for (const SecretKey* key : {&keyring.token_key, &keyring.rank_key, &keyring.secret_key})
        keys.append(view(*key));
    auto fingerprint = hash_hex<16>(keys);
    sodium_memzero(keys.data(), keys.size());
    return fingerprint;
}

std::string render(const Keyring& keyring) {
    std::string text(kMagic);
    const auto line = [&](std::string_view name, const SecretKey& key) {
        text.append(name).append(" = ").append(cdp::to_hex(view(key))).append("\n");
    };
    line("token", keyring.token_key);
    line("rank", keyring.rank_key);
    line("secret", keyring.secret_key);
    for (const auto& [epoch, key] : keyring.epochs)
        line(std::string(kEpoch) + std::to_string(epoch), key);
    if (keyring.ledger) line(std::string(kLedger) + keyring.ledger->origin, keyring.ledger->seed);
    return text.append("check = ").append(hash_hex<32>(text)).append("\n");
}

std::optional<SecretKey> parse_key(std::string_view hex) {
    auto bytes = cdp::from_hex(hex);
    SecretKey key;
    if (!bytes || bytes->size() != key.size()) return std::nullopt;
    std::ranges::copy(*bytes, reinterpret_cast<char*>(key.data()));
    sodium_memzero(bytes->data(), bytes->size());
    return key;
}

std::optional<std::uint32_t> parse_epoch(std::string_view name) {
    if (!name.starts_with(kEpoch)) return std::nullopt;
    name.remove_prefix(kEpoch.size());
    std::uint32_t epoch = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), epoch);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return epoch;
}

// nullopt unless `text` is exactly what render() made.
std::optional<Keyring> parse(std::string_view text) {
    if (!text.starts_with(kMagic)) return std::nullopt;
    Keyring keyring;
    for (auto rest = text.substr(kMagic.size()); !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const auto equals = line.find(" = ");
        if (equals == std::string_view::npos) return std::nullopt;
        const auto name = line.substr(0, equals);
        const auto key = parse_key(line.substr(equals + 3));
        if (!key) return std::nullopt;
        if (name == "token")
            keyring.token_key = *key;
        else if (name == "rank")
            keyring.rank_key = *key;
        else if (name == "secret")
            keyring.secret_key = *key;
        else if (const auto epoch = parse_epoch(name))
            keyring.epochs[*epoch] = *key;
        else if (name.starts_with(kLedger) && is_ledger_origin(name.substr(kLedger.size())))
            keyring.ledger = {.origin = std::string(name.substr(kLedger.size())), .seed = *key};
        else if (name != "check")
            return std::nullopt;
    }
    if (keyring.epochs.empty()) return std::nullopt;

    // Rendering again covers the check line, the order, repeated names and what follows the end.
    auto again = render(keyring);
    const bool same = again == text;
    sodium_memzero(again.data(), again.size());
    if (!same) return std::nullopt;
    keyring.fingerprint = fingerprint_of(keyring);
    return keyring;
}

cdp::Error exposed(std::string detail) {
    return {.code = cdp::ErrorCode::unavailable,
            .reason = "keyring_exposed",
            .message =
                "The keyring must be a plain file with mode 0600 that belongs to the user "
                "who runs cdp.",
            .detail = std::move(detail)};
}

}  // namespace

bool is_ledger_origin(std::string_view text) {
    return !text.empty() && text.size() <= kOriginBytesMax && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < '\x7f' && c != '+' && c != '=';
    });
}

Tenant Keyring::tenant() const {
    constexpr std::string_view kName = "cdp ledger tenant";
    std::array<std::uint8_t, crypto_generichash_BYTES_MIN> hash;
    crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char*>(kName.data()), kName.size(),
                       rank_key.data(), rank_key.size());
    Tenant tenant;
    std::copy_n(hash.begin(), tenant.size(), tenant.begin());
    return tenant;
}

void Keyring::renew_ledger_key() {
    if (!ledger) {
        const auto name = tenant();
        ledger.emplace();
        ledger->origin = std::string(kLedgerOrigin) +
                         cdp::to_hex({reinterpret_cast<const char*>(name.data()), 4});
    }
    ledger->seed = random_key();
}

Keyring Keyring::generate(const std::string& ledger_origin) {
    CDP_ASSERT(sodium_init() >= 0);
    Keyring keyring;
    keyring.token_key = random_key();
    keyring.rank_key = random_key();
    keyring.secret_key = random_key();
    keyring.epochs[1] = random_key();
    keyring.fingerprint = fingerprint_of(keyring);
    if (!ledger_origin.empty()) keyring.ledger.emplace().origin = ledger_origin;
    keyring.renew_ledger_key();
    return keyring;
}

cdp::Result<void> write_keyring(const std::string& path, const Keyring& keyring) {
    CDP_ASSERT(sodium_init() >= 0);
    auto text = render(keyring);
    auto written = write_new_file(path, text);
    sodium_memzero(text.data(), text.size());
    return written;
}

cdp::Result<void> replace_keyring(const std::string& path, const Keyring& keyring) {
    const auto fresh = path + ".new";
    if (::unlink(fresh.c_str()) != 0 && errno != ENOENT)
        return system_error("remove " + fresh, errno);
    CDP_CHECK(write_keyring(fresh, keyring));
    if (::rename(fresh.c_str(), path.c_str()) != 0) return system_error("rename " + fresh, errno);
    return sync_folder(folder_of(path));
}

cdp::Result<Keyring> read_keyring(const std::string& path) {
    CDP_ASSERT(sodium_init() >= 0);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file.ok() && errno == ELOOP) return exposed(path + " is a symbolic link");
    if (!file.ok() && (errno == ENOENT || errno == ENOTDIR))
        return cdp::Error{.code = cdp::ErrorCode::unavailable,
                          .reason = "keyring_missing",
                          .message = "The keyring is not there. Without it nothing can be read.",
                          .detail = path};
    if (!file.ok()) return system_error("open " + path, errno);

    struct stat status{};
    if (::fstat(file.number(), &status) != 0) return system_error("stat " + path, errno);
    if (!S_ISREG(status.st_mode)) return exposed(path + " is not a file");
    if (status.st_uid != ::geteuid()) return exposed(path + " belongs to another user");
    if ((status.st_mode & 0077) != 0) return exposed(path + " is open to others");

    auto text = CDP_TRY(read_all(file.number(), kKeyringBytesMax));
    auto keyring = parse(text);
    sodium_memzero(text.data(), text.size());
    if (!keyring)
        return cdp::Error{.code = cdp::ErrorCode::corruption,
                          .reason = "keyring_damaged",
                          .message = "The keyring is cut, edited or not a keyring.",
                          .detail = path};
    return *std::move(keyring);
}

}  // namespace storage
