#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cdp/base/clock.h"
#include "cdp/config.h"
#include "cdp/corrections.h"
#include "cdp/disclosures.h"
#include "cdp/erasures.h"
#include "cdp/people.h"
#include "cdp/queries.h"
#include "cdp/shown.h"
#include "consent/sha256.h"
#include "identity/graph.h"
#include "storage/store.h"
#include "storage/vault.h"

// What was wrong of somebody put right: GDPR Art. 16 and 19; docs/decisions/0031.
namespace cdp {

// As posted to /v1/privacy/rectifications.
struct RectificationRequest {
    std::string type = {};
    std::string value = {};
    // By name, JSON; null: the person has none.
    std::map<std::string, std::string> traits = {};
    std::string reason = {};  // kept with the request: not the place for names
    // By which it is done, if it is part of something else: done once, and answered so again.
    std::optional<PrivacyRequestId> id = {};
    CheckWhom check = {};  // of whoever is about to be put right; its errors are answered
};

inline constexpr std::size_t kRectifiedTraitsMax = 50;
inline constexpr std::size_t kRectifiedNameMax = 256;         // bytes
inline constexpr std::size_t kRectifiedBytesMax = 16 * 1024;  // of one value

// That something was put right, as it is kept: nothing of the person.
struct Rectification {
    PrivacyRequestId id{};
    Timestamp time{};
    std::string author = {};
    std::string reason = {};
    std::vector<std::string> traits = {};                     // names
    std::uint64_t identifiers = 0;                            // under which it is told
    std::map<std::string, ErasureRecipient> recipients = {};  // by channel: had one of them before
    std::vector<std::string> identifiers_stay = {};           // traits that are identifiers too
    consent::Sha256 salt = {};                                // of its entry in the ledger

    friend bool operator==(const Rectification&, const Rectification&) = default;
};

// The commitment of each, for the check of the ledger; false stops.
Result<void> each_rectification(
    const storage::Snapshot& snapshot, const storage::Vault& vault,
    const std::function<bool(const PrivacyRequestId& id, const Result<consent::Sha256>&)>& visit);

// Safe to use from many threads. Everything it refers to must outlive it.
class Rectifications {
public:
    struct Needs {
        storage::Store& store;
        const storage::Vault& vault;
        const identity::Graph& graph;
        const People& people;
        const Corrections& corrections;
        const Erasures& erasures;
        Disclosures& disclosures;
        const Config& config;
        const Clock& clock;
    };
    explicit Rectifications(Needs needs) : needs_(needs) {}

    // Puts it right and answers the request as JSON, with who was given a wrong value and is to be
    // told. On disk and visible when it returns; it waits for the disk. That `reader` looked is
    // listed. Errors: reason_required, malformed_reason; traits_missing, too_many_traits,
    // malformed_trait, value_too_large (at /traits/NAME); malformed_identifier; person_unknown
    // (not_found); identifier_shared, corrected_too_often (conflict); contended and those of the
    // store.
    Result<std::string> rectify(const Reader& reader, const std::string& author,
                                const RectificationRequest& request) const;

    // {"rectifications":[…],"next":CURSOR|null}, newest first; and one. rectification_unknown
    // (not_found).
    Result<std::string> page(const PageQuery& query) const;
    Result<std::string> read(std::string_view id) const;

private:
    struct Held;

    Result<void> add_recipients(const std::vector<Token>& tokens,
                                Rectification& rectification) const;
    Result<std::vector<Held>> holders(People::Reading reading, const std::vector<Token>& tokens,
                                      const std::string& name) const;
    Result<void> correct(People::Reading reading, const std::vector<Token>& tokens,
                         const Token& asked, const std::pair<std::string, std::string>& right,
                         Rectification& rectification) const;
    void write(storage::Transaction& transaction, const Rectification& rectification) const;
    Result<std::string> json(const storage::Snapshot& snapshot,
                             const Rectification& rectification) const;

    Needs needs_;
};

}  // namespace cdp
