#include "cdp/answer.h"

#include <string>
#include <vector>

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

consent::DecisionId decision_id(const storage::Vault& vault, const DecidedFor& decided) {
    std::string subject(decided.person.view());
    for (const Token& member : decided.members) subject += member.view();
    subject.append(decided.channel).push_back('\0');
    subject.append(decided.purpose).push_back('\0');
    subject += std::to_string(decided.ledger_size);
    return vault.hash<consent::DecisionId>("decision", subject);
}

consent::DecisionId decision_id(const storage::Vault& vault, const Person& person,
                                const Principal& channel, std::string_view purpose,
                                std::uint64_t ledger_size) {
    std::vector<Token> members;
    for (const PersonMember& member : person.members) members.push_back(member.token);
    return decision_id(vault, DecidedFor{.person = person.id,
                                         .members = members,
                                         .channel = channel.channel,
                                         .purpose = purpose,
                                         .ledger_size = ledger_size});
}

void end_decided(consent::ReleasedBody& body, const consent::DecisionId& decision,
                 std::uint64_t ledger_size) {
    body.text(",\"decision\":\"").id(decision).text("\",\"ledger_size\":");
    body.ledger_size(ledger_size).text("}");
}

consent::DecisionId decision_id(const storage::Vault& vault, const DecidedAbout& decided) {
    std::string named(decided.channel);
    named.push_back('\0');
    named.append(decided.purpose).push_back('\0');
    named.append(std::to_string(decided.ledger_size)).push_back('\0');
    named += std::to_string(milliseconds_of(decided.asked_at));
    for (const Token& token : decided.identifiers) named += token.view();
    return vault.hash<consent::DecisionId>("decision about", named);
}

}  // namespace cdp
