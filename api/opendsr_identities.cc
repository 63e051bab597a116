#include "api/opendsr_identities.h"

#include <algorithm>

#include "identity/hashed.h"

namespace api {
namespace {

// A value that nothing sends, in the form that its type has.
cdp::RequestedIdentifier nobody(const OpenDsrIdentity& identity) {
    const auto name = std::string(to_string(*identity.hash)) + ":" + identity.value;
    if (const auto hashed = identity::hashed_type_of(identity.type))
        return {.type = std::string(*hashed), .value = identity::sha256_hex(name)};
    return {.type = identity.type, .value = name};
}

}  // namespace

cdp::Result<std::vector<cdp::RequestedIdentifier>> identifiers_of(
    const std::vector<OpenDsrIdentity>& identities, const cdp::HashSearch& hashes) {
    std::vector<cdp::RequestedIdentifier> out;
    std::vector<cdp::HashedName> wanted;
    for (const auto& identity : identities) {
        if (!identity.hash) {
            out.push_back({.type = identity.type, .value = identity.value});
            continue;
        }
        wanted.push_back({.type = identity.type, .kind = *identity.hash, .hex = identity.value});
        // Hashes that were sent as such are identifiers themselves.
        const auto hashed = identity::hashed_type_of(identity.type);
        if (hashed && identity.hash == cdp::HashKind::sha256)
            out.push_back({.type = std::string(*hashed), .value = identity.value});
    }
    if (!wanted.empty())
        for (auto& found : CDP_TRY(hashes.find(wanted)))
            out.push_back({.type = std::move(found.type), .value = std::move(found.value)});
    if (!out.empty()) return out;
    for (const auto& identity : identities) out.push_back(nobody(identity));
    return out;
}

}  // namespace api
