#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "cdp/erasure_rows.h"
#include "cdp/event_links.h"
#include "cdp/tombstones.h"
#include "consent/json_writer.h"
#include "consent/sha256.h"
#include "storage/snapshot.h"
#include "storage/transaction.h"
#include "storage/vault.h"

// That somebody was erased, as it is kept: counts and times, and nothing of the person.
namespace cdp {

enum class ErasureScope : std::uint8_t { person = 1, identifier = 2 };

std::string_view to_string(ErasureScope value);
std::optional<ErasureScope> parse_erasure_scope(std::string_view name);

// Somebody who got data of whom was erased, and is to be told (GDPR Art. 19).
struct ErasureRecipient {
    std::string recipient = {};  // the legal entity, as registered then
    std::uint64_t times = 0;
    Timestamp last{};

    friend bool operator==(const ErasureRecipient&, const ErasureRecipient&) = default;
};

struct Erasure {
    // `listed`: stopped, and which events of others' identifiers go is written down.
    enum class State : std::uint8_t { stopped = 1, completed = 2, listed = 3 };

    PrivacyRequestId id{};
    ErasureScope scope = ErasureScope::person;
    State state = State::stopped;
    Timestamp requested{};  // facts up to here do not come back
    Timestamp completed{};
    std::string author = {};
    std::string reason = {};
    // Until it is completed: whom it takes, and on what is shared their sessions count; nullopt: on
    // all of it.
    std::vector<Token> tokens = {};
    std::optional<std::vector<Token>> sessions_on = {};
    ErasedCounts counts = {};
    std::uint64_t entries = 0;       // of the ledger, whose records are gone
    consent::Sha256 root = {};       // RFC 6962 over their indices, salted
    std::uint64_t suppressions = 0;  // that stay
    bool for_ever = false;           // the tombstones are: one of them is of the person
    std::map<std::string, ErasureRecipient> recipients = {};  // by channel
    consent::Sha256 salt = {};                                // of its own entry in the ledger

    friend bool operator==(const Erasure&, const Erasure&) = default;
};

// Events that go and are filed under identifiers that stay, in parts as long as one row holds.
// Which they are is told by each other and by the person's own, so that it is written down before
// any of them goes.
struct EventPart {
    std::string key = {};
    std::vector<FiledEvent> events = {};
};
inline constexpr std::size_t kPartEventsMax = 1'500;
void put_part(storage::Transaction& transaction, const PrivacyRequestId& id, std::uint32_t number,
              std::span<const FiledEvent> events);
// nullopt: there are no more.
Result<std::optional<EventPart>> first_part(const storage::Snapshot& snapshot,
                                            const PrivacyRequestId& id);

std::string erasures_prefix();
std::string erasure_key(const PrivacyRequestId& id);
std::string seal_erasure(const storage::Vault& vault, std::string_view key, const Erasure& erasure);
Result<Erasure> open_erasure(const storage::Vault& vault, std::string_view key,
                             std::string_view sealed);

// What the ledger's entry of a completed erasure commits to: everything but whom it took.
std::string encode_outcome(const Erasure& erasure);
// What encode_outcome wrote: everything but whom it took, by whom and why. nullopt: it did not.
std::optional<Erasure> decode_outcome(std::string_view bytes);

// What was counted, by what.
std::map<std::string, std::uint64_t> counts_by_name(const ErasedCounts& counts);

// "erased":{…}, and "kept":[{"what":…,"basis":…}]: what goes on being held, and why.
void write_counts(consent::JsonWriter& out, const ErasedCounts& counts);
// The members of that alone.
void put_counts(consent::JsonWriter& out, const ErasedCounts& counts);
void write_kept(consent::JsonWriter& out, const Erasure& erasure);

}  // namespace cdp
