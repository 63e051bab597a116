#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cdp/base/result.h"
#include "storage/store.h"
#include "storage/vault.h"

namespace cdp {

// What the server makes for itself once and keeps for good: private keys that protocols ask for.
// Sealed under a key of the server. Safe to use from many threads; both must outlive it.
class OwnSecrets {
public:
    OwnSecrets(storage::Store& store, const storage::Vault& vault) : store_(store), vault_(vault) {}

    using Make = std::function<Result<std::string>()>;
    // The secret of that name, which is on disk. `make` makes it when there is none; whoever makes
    // one at the same time gets the same. Wipe it. Errors: those of `make` and of the store.
    Result<std::string> find_or_make(std::string_view name, const Make& make) const;

    // A text that is handed out and comes back: it shows nothing, and no other can be made up. In
    // hexadecimal. nullopt: it was not sealed here under this name.
    std::string seal(std::string_view name, std::string_view text) const;
    std::optional<std::string> open(std::string_view name, std::string_view sealed) const;

    // 32 hexadecimal digits that stand for a text, where the text is not to be kept: without the
    // keyring nobody can try out which it was. No two domains have the same.
    std::string hash(std::string_view domain, std::string_view text) const;

private:
    storage::Store& store_;
    const storage::Vault& vault_;
};

}  // namespace cdp
