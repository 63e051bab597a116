#include "cdp/access.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "cdp/base/bytes.h"
#include "storage/key.h"

namespace cdp {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::size_t kKeyLetters = 24;
constexpr std::size_t kNameBytesMax = 64;

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{
    {Role::source, "source"},
    {Role::channel, "channel"},
    {Role::officer, "officer"},
    {Role::steward, "steward"},
    {Role::admin, "admin"},
}};

Error invalid(std::string reason, std::string message, std::string pointer) {
    return {
        ErrorCode::invalid_argument, std::move(reason), std::move(message), std::move(pointer), {}};
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

Result<void> check(const Principal& principal) {
    if (!is_name(principal.name))
        return invalid("malformed_name", "A name is 1 to 64 of a-z, 0-9, '.', '_' and '-'.",
                       "/name");
    if (principal.role == Role::channel && principal.channel.empty())
        return invalid("channel_required", "A channel's key names its channel.", "/channel");
    if (principal.role != Role::channel && !principal.channel.empty())
        return invalid("channel_unexpected", "Only a channel's key names a channel.", "/channel");
    if (principal.channel.size() > 256)
        return invalid("malformed_channel", "A channel's name is at most 256 bytes.", "/channel");
    if (principal.role != Role::source && principal.trust != Trust::client)
        return invalid("trust_unexpected", "Only a source has trust.", "/trust");
    return Result<void>::ok();
}

// 124 bits from the kernel.
Result<std::string> random_key() {
    constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::uint8_t kEven = 252;  // the last multiple of 36: no letter is likelier
    std::string key = "c";
    while (key.size() < 1 + kKeyLetters) {
        std::array<std::uint8_t, 64> bytes;
        if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
            return Error{
                ErrorCode::unavailable, "no_randomness", "The system has no randomness.", {}, {}};
        for (const auto byte : bytes)
            if (byte < kEven && key.size() < 1 + kKeyLetters) key += kLetters[byte % 36];
    }
    return key;
}

std::string row_key(const Token& hash) {
    return storage::KeyWriter(storage::Space::access_key, hash).str();
}

std::string encode(const Principal& principal, Timestamp created) {
    return ByteWriter()
        .u8(kFormat)
        .u8(static_cast<std::uint8_t>(principal.role))
        .u8(static_cast<std::uint8_t>(principal.trust))
        .bytes(principal.name)
        .bytes(principal.channel)
        .i64(milliseconds_of(created))
        .take();
}

std::optional<Principal> decode(std::string_view row) {
    ByteReader in(row);
    if (in.u8() != kFormat) return std::nullopt;
    Principal out;
    out.role = static_cast<Role>(in.u8());
    out.trust = static_cast<Trust>(in.u8());
    out.name = in.bytes();
    out.channel = in.bytes();
    in.i64();
    const bool known = out.role >= Role::source && out.role <= Role::admin &&
                       (out.trust == Trust::client || out.trust == Trust::server);
    return in.done() && known ? std::optional(std::move(out)) : std::nullopt;
}

bool same_holder(const Principal& a, const Principal& b) {
    return a.role == b.role && a.name == b.name;
}

}  // namespace

struct Access::Keys {
    mutable std::shared_mutex mutex;  // guards by_hash
    std::unordered_map<Token, Principal> by_hash;
    std::mutex adding;  // one at a time, so that two cannot give one source two trusts
};

std::string_view to_string(Role role) {
    const auto found = std::ranges::find(kRoles, role, &std::pair<Role, std::string_view>::first);
    return found == kRoles.end() ? std::string_view{} : found->second;
}

std::optional<Role> parse_role(std::string_view name) {
    const auto found = std::ranges::find(kRoles, name, &std::pair<Role, std::string_view>::second);
    return found == kRoles.end() ? std::nullopt : std::optional(found->first);
}

Access::Access(storage::Store& store, const storage::Vault& vault)
    : store_(store), vault_(vault), keys_(std::make_unique<Keys>()) {}

Access::~Access() = default;

std::string source_name(const Principal& principal) {
    return principal.role == Role::source ? principal.name : "admin:" + principal.name;
}

Result<std::unique_ptr<Access>> Access::load(storage::Store& store, const storage::Vault& vault) {
    std::unique_ptr<Access> access(new Access(store, vault));
    const auto prefix = row_key(Token{}).substr(0, storage::kGroupBytes - sizeof(Token::bytes));
    bool damaged = false;
    CDP_CHECK(store.snapshot()->scan(prefix, {}, [&](std::string_view key, std::string_view value) {
        auto principal = decode(value);
        damaged = !principal || key.size() != storage::kGroupBytes;
        if (damaged) return false;
        access->keys_->by_hash.emplace(Token::from(key.substr(prefix.size())),
                                       std::move(*principal));
        return true;
    }));
    if (damaged)
        return Error{
            ErrorCode::corruption, "access_key_damaged", "A stored key is damaged.", {}, {}};
    return access;
}

Result<std::string> Access::add(const Principal& principal, Timestamp now) {
    CDP_CHECK(check(principal));
    const std::lock_guard alone(keys_->adding);
    for (const auto& other : principals())
        if (same_holder(other, principal) &&
            (other.trust != principal.trust || other.channel != principal.channel))
            return Error{ErrorCode::conflict,
                         "holder_differs",
                         "That name has keys with another trust or channel.",
                         {},
                         {}};

    auto key = CDP_TRY(random_key());
    const auto hash = vault_.access_key_hash(key);
    const auto snapshot = store_.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    transaction.put(row_key(hash), encode(principal, now));
    auto outcome = storage::commit_and_wait(store_, std::move(transaction));
    if (outcome.state != storage::CommitState::ok) return outcome.error;

    const std::unique_lock lock(keys_->mutex);
    keys_->by_hash.emplace(hash, principal);
    return key;
}

std::optional<Principal> Access::find(std::string_view key) const {
    if (key.size() != 1 + kKeyLetters) return std::nullopt;
    const auto hash = vault_.access_key_hash(key);
    const std::shared_lock lock(keys_->mutex);
    const auto found = keys_->by_hash.find(hash);
    return found == keys_->by_hash.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Principal> Access::principals() const {
    std::vector<Principal> out;
    {
        const std::shared_lock lock(keys_->mutex);
        for (const auto& [hash, principal] : keys_->by_hash) out.push_back(principal);
    }
    const auto holder = [](const Principal& p) {
        return std::pair(p.role, std::string_view(p.name));
    };
    std::ranges::sort(out, {}, holder);
    const auto repeated = std::ranges::unique(out, {}, holder);
    out.erase(repeated.begin(), repeated.end());
    return out;
}

}  // namespace cdp
