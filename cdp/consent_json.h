#pragma once

#include <functional>
#include <string>

#include "consent/consents.h"
#include "consent/record.h"
#include "storage/store.h"
#include "storage/vault.h"

// What was said, as JSON, in the words in which it is posted.
namespace cdp {

// An identifier's members: "type":…,"value":…
using NameOf = std::function<Result<std::string>(const Token&)>;

// Everything of a record but when it was received and until when it is valid: members of an object.
// What was not said is left out.
Result<std::string> record_members(const consent::Record& record, const NameOf& name_of);

// The same of the first stamp of a day. `under` is where it is filed.
Result<std::string> stamp_members(const consent::Cell& cell, const Token& under,
                                  const NameOf& name_of);

// A record, or the first stamp of a day, with its kind: all members of an object.
Result<std::string> record_shown(const consent::Record& record, const NameOf& name_of);
Result<std::string> stamp_shown(const consent::Cell& cell, const Token& under,
                                const NameOf& name_of);

// ,"NAME":"TIME"; nothing without a time.
std::string moment(const char* name, const std::optional<Timestamp>& time);

// From the store. A value that was erased is null, and so is the type of what was never met.
class StoredNames {
public:
    StoredNames(const storage::Vault& vault, const storage::Snapshot& snapshot)
        : vault_(vault), snapshot_(snapshot) {}

    Result<std::string> name_of(const Token& token) const;
    NameOf reader() const {
        return [this](const Token& token) { return name_of(token); };
    }

private:
    const storage::Vault& vault_;
    const storage::Snapshot& snapshot_;
};

}  // namespace cdp
