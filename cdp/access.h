#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/event.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

enum class Role : std::uint8_t { source = 1, channel, officer, steward, admin };

std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view name);

// Who a key belongs to. One role and name is one source or channel, however many keys it has.
struct Principal {
    Role role = Role::source;
    std::string name;             // 1 to 64 of [a-z0-9._-]
    std::string channel;          // role channel: the channel of the policy it reads for
    Trust trust = Trust::client;  // role source
};

// What its events are filed under and whose settings they are read by: a source is itself. An
// administrator may post too, but never as a source that has the same name.
std::string source_name(const Principal& principal);

// The keys in force. Look-ups are in memory and safe from many threads; `add` is durable and in
// force when it returns.
class Access {
public:
    // Loads every key. The store and vault must outlive it.
    static Result<std::unique_ptr<Access>> load(storage::Store& store, const storage::Vault& vault);
    ~Access();

    // A new key: `c` and 24 characters of [a-z0-9]. Only its keyed hash is stored. A source that
    // exists keeps one trust: another is refused (conflict).
    Result<std::string> add(const Principal& principal, Timestamp now);

    std::optional<Principal> find(std::string_view key) const;

    // Every principal once.
    std::vector<Principal> principals() const;

private:
    Access(storage::Store& store, const storage::Vault& vault);

    struct Keys;
    storage::Store& store_;
    const storage::Vault& vault_;
    std::unique_ptr<Keys> keys_;
};

}  // namespace cdp
