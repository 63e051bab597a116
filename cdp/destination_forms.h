#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cdp/config.h"
#include "consent/gate.h"
#include "storage/vault.h"

namespace cdp {

// The other forms of a value in which a channel asks for it: hashes of its destination's own normal
// form, and the keyed token that stands for it there. Makes none that the channel does not ask for.
// For one answer; the vault and configuration must outlive it.
class DestinationForms {
public:
    DestinationForms(const storage::Vault& vault, const Config& config, std::string_view channel);

    // Completes a field before the gate. `type` is that of the identifier that the value is; empty:
    // it is none. What the field then points to lives until the next call.
    //
    // A keyed token is 32 hexadecimal digits: the same for the same value at the same channel, and
    // at no other, for as long as the keyring lives.
    void complete(consent::Field& field, std::string_view type);

private:
    const storage::Vault& vault_;
    const Config& config_;
    std::string channel_;
    std::vector<std::string> asked_ = {};  // forms of hashes, but our own
    bool token_ = false;

    std::vector<std::string> hex_ = {};
    std::vector<consent::NamedHash> hashes_ = {};
    std::string keyed_ = {};
};

}  // namespace cdp
