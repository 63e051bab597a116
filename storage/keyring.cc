#include "storage/keyring.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "cdp/base/assert.h"
#include "cdp/base/ids.h"
#include "storage/file.h"
#include "storage/key_text.h"

namespace storage {
namespace {

constexpr std::string_view kMagic = "cdp-keyring 1\n";
constexpr std::string_view kEpoch = "epoch.";
constexpr std::string_view kLedger = "ledger.";  // then the origin
constexpr std::string_view kLedgerOrigin = "cdp.local/ledger/";
constexpr std::size_t kOriginBytesMax = 255;
constexpr std::size_t kKeyringBytesMax = 1 << 20;

SecretKey random_key() {
    SecretKey key;
    randombytes_buf(key.data(), key.size());
    return key;
}

std::string fingerprint_of(std::string_view keys) {
    std::array<unsigned char, 16> hash;
    crypto_generichash(hash.data(), hash.size(),
                       reinterpret_cast<const unsigned char*>(keys.data()), keys.size(), nullptr,
                       0);
    return cdp::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

// Of the keys that never change, so that a new epoch leaves the keyring its name.
std::string fingerprint_of(const Keyring& keyring) {
    std::string keys = "cdp keyring fingerprint";
    for (const SecretKey* key : {&keyring.token_key, &keyring.rank_key, &keyring.secret_key})
        keys.append(view_of(*key));
    auto fingerprint = fingerprint_of(std::string_view(keys));
    sodium_memzero(keys.data(), keys.size());
    return fingerprint;
}

std::optional<std::uint32_t> parse_epoch(std::string_view name) {
    if (!name.starts_with(kEpoch)) return std::nullopt;
    name.remove_prefix(kEpoch.size());
    std::uint32_t epoch = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), epoch);
    if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
    return epoch;
}

}  // namespace

bool is_ledger_origin(std::string_view text) {
    return !text.empty() && text.size() <= kOriginBytesMax && std::ranges::all_of(text, [](char c) {
        return c > ' ' && c < '\x7f' && c != '+' && c != '=';
    });
}

std::string render_keyring(const Keyring& keyring) {
    std::string text(kMagic);
    const auto line = [&](std::string_view name, const SecretKey& key) {
        text.append(name).append(" = ").append(cdp::to_hex(view_of(key))).append("\n");
    };
    line("token", keyring.token_key);
    line("rank", keyring.rank_key);
    line("secret", keyring.secret_key);
    for (const auto& [epoch, key] : keyring.epochs)
        line(std::string(kEpoch) + std::to_string(epoch), key);
    if (keyring.ledger) line(std::string(kLedger) + keyring.ledger->origin, keyring.ledger->seed);
    return text.append(check_line(text));
}

std::optional<Keyring> parse_keyring(std::string_view text) {
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
    auto again = render_keyring(keyring);
    const bool same = again == text;
    sodium_memzero(again.data(), again.size());
    if (!same) return std::nullopt;
    keyring.fingerprint = fingerprint_of(keyring);
    return keyring;
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

void Keyring::add_epoch() {
    epochs[epochs.rbegin()->first + 1] = random_key();
}

void Keyring::end_former_epochs() {
    while (epochs.size() > 1) {
        auto& [epoch, key] = *epochs.begin();
        sodium_memzero(key.data(), key.size());
        epochs.erase(epochs.begin());
    }
}

void Keyring::wipe_changing() {
    for (auto& [epoch, key] : epochs) sodium_memzero(key.data(), key.size());
    epochs.clear();
    if (ledger) sodium_memzero(ledger->seed.data(), ledger->seed.size());
    ledger.reset();
}

Keyring::~Keyring() {
    wipe_changing();
    for (SecretKey* key : {&token_key, &rank_key, &secret_key})
        sodium_memzero(key->data(), key->size());
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
    auto text = render_keyring(keyring);
    auto written = write_new_file(path, text);
    sodium_memzero(text.data(), text.size());
    return written;
}

cdp::Result<void> replace_keyring(const std::string& path, const Keyring& keyring) {
    auto text = render_keyring(keyring);
    auto replaced = replace_file(path, text);
    sodium_memzero(text.data(), text.size());
    return replaced;
}

cdp::Result<Keyring> read_keyring(const std::string& path) {
    CDP_ASSERT(sodium_init() >= 0);
    auto text = CDP_TRY(read_secret_file(path, "keyring", kKeyringBytesMax));
    auto keyring = parse_keyring(text);
    sodium_memzero(text.data(), text.size());
    if (!keyring)
        return cdp::Error{.code = cdp::ErrorCode::corruption,
                          .reason = "keyring_damaged",
                          .message = "The keyring is cut, edited or not a keyring.",
                          .detail = path};
    return *std::move(keyring);
}

}  // namespace storage
