#include "cdp/answer.h"

#include <string>

namespace cdp {

Result<void> check_channel(const Config& config, const Principal& channel) {
    if (channel.role == Role::channel && config.policy.find_channel(channel.channel))
        return Result<void>::ok();
    return Error{.code = ErrorCode::forbidden,
                 .reason = "channel_unknown",
                 .message = "The key does not belong to a configured channel."};
}

Result<const consent::Purpose*> purpose_for(const Config& config, const Principal& channel,
                                            std::string_view purpose) {
    CDP_CHECK(check_channel(config, channel));
    const auto* found = config.policy.find_purpose(purpose);
    if (!found)
        return Error{.code = ErrorCode::invalid_argument,
                     .reason = "purpose_unknown",
                     .message = "No such purpose is configured.",
                     .pointer = "/purpose"};
    return found;
}

consent::DecisionId decision_id(const storage::Vault& vault, const Person& person,
                                const Principal& channel, std::string_view purpose,
                                std::uint64_t ledger_size) {
    std::string subject(person.id.view());
    for (const PersonMember& member : person.members) subject += member.token.view();
    subject.append(channel.channel).push_back('\0');
    subject.append(purpose).push_back('\0');
    subject += std::to_string(ledger_size);
    return vault.hash<consent::DecisionId>("decision", subject);
}

}  // namespace cdp
