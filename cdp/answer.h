#pragma once

#include <cstdint>
#include <string_view>

#include "cdp/access.h"
#include "cdp/config.h"
#include "cdp/people.h"
#include "consent/gate.h"

// What every answer to a channel begins and ends with.
namespace cdp {

// forbidden: the key is no channel's, or of one that is not configured.
Result<void> check_channel(const Config& config, const Principal& channel);

// The purpose a channel asks for. forbidden: the key is no channel's, or of one that is not
// configured; invalid_argument: no such purpose. Whether the channel is registered for it, the gate
// says.
Result<const consent::Purpose*> purpose_for(const Config& config, const Principal& channel,
                                            std::string_view purpose);

// Names what was decided: the same person, question and state of the ledger have the same id.
consent::DecisionId decision_id(const storage::Vault& vault, const Person& person,
                                const Principal& channel, std::string_view purpose,
                                std::uint64_t ledger_size);

}  // namespace cdp
