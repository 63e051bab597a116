#include "api/opendsr_identities.h"

#include <algorithm>

namespace api {

cdp::Result<std::vector<cdp::RequestedIdentifier>> identifiers_of(
    const std::vector<OpenDsrIdentity>& identities, const cdp::HashSearch& hashes) {
    std::vector<cdp::RequestedIdentifier> out;
    std::vector<cdp::HashedName> wanted;
    for (const auto& identity : identities) {
        if (identity.hash)
            wanted.push_back(
                {.type = identity.type, .kind = *identity.hash, .hex = identity.value});
        else
            out.push_back({.type = identity.type, .value = identity.value});
    }
    if (wanted.empty()) return out;
    const auto found = CDP_TRY(hashes.find(wanted));
    for (const auto& one : found) out.push_back({.type = one.type, .value = one.value});
    for (const auto& name : wanted) {
        const auto stands = cdp::standing_for(name);
        // Hashes that were sent as such are identifiers themselves.
        const bool sent = stands.value == name.hex;
        const bool known =
            std::ranges::any_of(found, [&](const auto& one) { return hashes.has(one, name); });
        if (sent || !known) out.push_back({.type = stands.type, .value = stands.value});
    }
    return out;
}

}  // namespace api
