#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "identity/assertion.h"
#include "storage/key.h"

// How assertions are stored: the facts, and the rows that stand because of them.
namespace identity {

// Facts, newest first. Their values are sealed.
std::string assertions_prefix();
std::string assertion_key(const AssertionId& id);

// All but the id, which the key has.
std::string encode(const Assertion& assertion);
// nullopt when the bytes are not what encode wrote.
std::optional<Assertion> decode_assertion(std::string_view bytes);

struct StandingRow {
    std::string key;
    std::string value;
};

// The rows that stand because of an assertion, under each identifier and event it names.
std::vector<StandingRow> standing_rows(const Assertion& assertion);

// Of an event that a retraction takes and its fact does not name: found from the event, and from
// the assertion, under its id.
std::array<StandingRow, 2> taken_rows(const AssertionId& id, const cdp::EventId& event);

// What stands about an identifier or an event, or which events stand taken under an assertion.
cdp::Result<std::vector<StandingEntry>> rows_below(storage::Transaction& transaction,
                                                   const std::string& prefix);
template <typename Tag>
cdp::Result<std::vector<StandingEntry>> rows_under(storage::Transaction& transaction,
                                                   const cdp::Id<Tag>& subject) {
    return rows_below(transaction, storage::KeyWriter(storage::Space::asserted, subject).str());
}
// Retractions of whole sources.
cdp::Result<std::vector<StandingEntry>> source_rows(storage::Transaction& transaction);

}  // namespace identity
