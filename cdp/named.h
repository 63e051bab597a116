#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/config.h"
#include "cdp/queries.h"
#include "identity/graph.h"
#include "storage/transaction.h"

// An identifier as somebody names it, read by one rule wherever one enters. Events have their own:
// what of theirs cannot be read is left out.
namespace cdp {

// Where its two words stand in what was sent.
struct NamedAt {
    std::string type;
    std::string value;

    // Of an object with both members.
    static NamedAt members(const std::string& pointer) {
        return {.type = pointer + "/type", .value = pointer + "/value"};
    }
    // Of a text, type:value.
    static NamedAt whole(const std::string& pointer) { return {.type = pointer, .value = pointer}; }
};

// The normal form of an identifier that is asked about; nullopt: it can be nobody's. Errors:
// malformed_identifier_type, person_not_identifier; malformed_identifier (not of its type's form,
// over 512 bytes, control characters, not UTF-8).
Result<std::optional<std::string>> read_asked(const Config& config, const NamedIdentifier& named,
                                              std::string_view region, const NamedAt& at);

// The same of one that something is said about: what can be nobody's is malformed_identifier too.
Result<std::string> read_said(const Config& config, const NamedIdentifier& named,
                              std::string_view region, const NamedAt& at);

// Of what was sent at another place than the error says.
inline Error at(std::string pointer, Error error) {
    if (error.code == ErrorCode::invalid_argument) error.pointer = std::move(pointer);
    return error;
}

// Of somebody who is named by what several people have.
Error identifier_shared(std::string pointer);

// identifier_type_unknown unless the type is configured, or the identifier is or was somebody's:
// a slip of the pen is not answered like somebody of whom nothing is held.
Result<void> check_type_known(const Config& config, const identity::Graph& graph,
                              storage::Transaction& transaction, std::string_view type,
                              const Token& token, std::string pointer);

}  // namespace cdp
