#include "cdp/privacy_sender.h"

namespace cdp {

std::string_view name_in_sender(std::string_view sender) {
    return sender.substr(sender.find(':') + 1);
}

Principal principal_of(std::string_view sender) {
    const auto role = parse_role(sender.substr(0, sender.find(':')));
    return {.role = role.value_or(Role::officer),
            .name = std::string(role ? name_in_sender(sender) : sender),
            .channel = "",
            .trust = Trust::server};
}

std::string speaker_of(const Principal& principal) {
    if (principal.name.find(':') != principal.name.npos) return principal.name;
    return std::string(to_string(principal.role)) + ':' + principal.name;
}

}  // namespace cdp
