#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "cdp/access.h"
#include "cdp/config.h"
#include "cdp/people.h"
#include "consent/gate.h"
#include "consent/released_body.h"

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
struct DecidedFor {
    PersonId person{};
    std::span<const Token> members = {};  // sorted
    std::string_view channel = {};
    std::string_view purpose = {};
    std::uint64_t ledger_size = 0;
};
consent::DecisionId decision_id(const storage::Vault& vault, const DecidedFor& decided);
consent::DecisionId decision_id(const storage::Vault& vault, const Person& person,
                                const Principal& channel, std::string_view purpose,
                                std::uint64_t ledger_size);

// The same of what was asked for without reading data.
struct DecidedAbout {
    std::string_view channel = {};
    std::string_view purpose = {};
    std::uint64_t ledger_size = 0;
    Timestamp asked_at{};
    std::span<const Token> identifiers = {};  // as asked; zeros: nobody's
};
consent::DecisionId decision_id(const storage::Vault& vault, const DecidedAbout& decided);

// ,"decision":ID,"ledger_size":N} - the end of every answer that was decided.
void end_decided(consent::ReleasedBody& body, const consent::DecisionId& decision,
                 std::uint64_t ledger_size);

// What stands for a purpose where several are decided about at once, see google_consent.h.
inline constexpr std::string_view kGoogleDecision = "google consent";

}  // namespace cdp
