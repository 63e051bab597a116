#include "cdp/named.h"

#include <utility>
#include <variant>

#include "cdp/refuse.h"
#include "cdp/tombstones.h"

namespace cdp {

Result<std::optional<std::string>> read_asked(const Config& config, const NamedIdentifier& named,
                                              std::string_view region, const NamedAt& at) {
    if (!identity::is_type_name(named.type))
        return refuse("malformed_identifier_type", "That cannot name a type of identifier.",
                      at.type);
    if (named.type == kPersonType)
        return refuse("person_not_identifier",
                      "A person's id changes when people are joined or split; name an "
                      "identifier of the person.",
                      at.type);
    auto form = identity::normal_form(config.types.find(named.type), named.value, region);
    if (auto* normal = std::get_if<std::string>(&form)) return std::optional(std::move(*normal));
    if (std::get<identity::Refusal>(form) != identity::Refusal::malformed)
        return std::optional<std::string>();
    return refuse("malformed_identifier",
                  "The identifier's value does not have the form of its type.", at.value);
}

Result<std::string> read_said(const Config& config, const NamedIdentifier& named,
                              std::string_view region, const NamedAt& at) {
    auto normal = CDP_TRY(read_asked(config, named, region, at));
    if (normal) return *std::move(normal);
    return refuse("malformed_identifier", "The identifier's value identifies nobody.", at.value);
}

Result<void> check_type_known(const Config& config, const identity::Graph& graph,
                              storage::Transaction& transaction, std::string_view type,
                              const Token& token, std::string pointer) {
    if (type == kPersonType || config.types.all().contains(type)) return Result<void>::ok();
    if (CDP_TRY(graph.find(transaction, token))) return Result<void>::ok();
    if (CDP_TRY(Tombstones::find(transaction, token))) return Result<void>::ok();
    return refuse("identifier_type_unknown",
                  "No such type of identifier is configured, and nothing was seen with this one.",
                  std::move(pointer));
}

Error identifier_shared(std::string pointer) {
    return {.code = ErrorCode::conflict,
            .reason = "identifier_shared",
            .message =
                "Several people have this identifier: name the person by another one. Only "
                "an erasure may be of this identifier alone.",
            .pointer = std::move(pointer)};
}

}  // namespace cdp
