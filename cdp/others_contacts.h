#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/config.h"
#include "storage/vault.h"

namespace cdp {

// Addresses and numbers of somebody else in what a person sent or is told to have: GDPR Art. 15(4),
// docs/decisions/0031. For one report; all must outlive it.
class OthersContacts {
public:
    // Whether an identifier is known to be somebody else's.
    using IsOthers = std::function<Result<bool>(const Token&)>;
    OthersContacts(const Config& config, const storage::Vault& vault, IsOthers is_others)
        : config_(config), vault_(vault), is_others_(std::move(is_others)) {}

    // What stands in their place.
    static constexpr std::string_view kMarker = "[withheld: somebody else's]";

    // Good JSON without white space, with the marker for each text that is one, or has such an
    // address in it: as a value, a number or a name, however deep. `source`: whose region phone
    // numbers are of.
    Result<std::string> without(std::string_view json, std::string_view source);
    // How many texts that were.
    std::uint64_t withheld() const { return withheld_; }

private:
    Result<std::string> object(std::string_view json, std::string_view source);
    Result<std::string> list(std::string_view json, std::string_view source);
    Result<std::string> value(std::string_view json, std::string_view source);
    Result<bool> names_others(std::string_view literal, std::string_view source);

    const Config& config_;
    const storage::Vault& vault_;
    const IsOthers is_others_;
    std::uint64_t withheld_ = 0;
    std::unordered_map<std::string, bool> known_ = {};  // of the values met last
};

}  // namespace cdp
