#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/record_parts.h"
#include "consent/record_words.h"

// One answer, with everything that proves it.
namespace consent {

// An identifier whose control was proven in the interaction.
struct Asserted {
    cdp::Token token = {};
    Strength strength = Strength::strong;

    friend bool operator==(const Asserted&, const Asserted&) = default;
};

// One answer, immutable. A withdrawal is a record too, never the absence of one.
struct Record {
    cdp::RecordId id = {};
    std::vector<Asserted> asserted = {};
    std::string purpose = {};                // kAllPurposes: of every one, in states that end
    std::vector<std::string> channels = {};  // empty: all
    std::vector<std::string> labels = {};    // classes of data; empty: all
    Basis basis = Basis::consent;
    State state = State::denied;
    Scope scope = Scope::person;
    cdp::Timestamp time{};  // event time, fixed when first accepted
    cdp::Timestamp received{};
    std::optional<cdp::Timestamp> effective_from = {};  // of a grant; absent: time
    std::optional<cdp::Timestamp> valid_until = {};     // exclusive; a denial does not run out
    std::optional<cdp::Timestamp> reconfirm_due = {};   // past it, somebody must ask or tell
    std::optional<cdp::Timestamp> no_reask_until = {};  // of a denial: until then nobody may ask
    std::string jurisdiction = {};                      // ISO 3166-1 or -2: KR, US-CA
    std::string regime = {};                            // the law's name, for those who read it
    Origin origin = Origin::client_stamp;
    std::string source = {};  // name of the source or key that brought it
    Method method = Method::unstated;
    std::string method_other = {};  // of Method::other
    Notice notice = {};
    std::optional<Signal> signal = {};
    std::vector<Evidence> evidence = {};
    std::optional<DoubleOptIn> double_opt_in = {};
    std::optional<Minor> minor = {};
    Actor actor = {};
    // Denials that the person was shown and chose to take back; see Judge.
    std::vector<cdp::RecordId> overrides = {};
    std::uint64_t graph_version = 0;  // of the identity graph when it was recorded
    std::string receipt_id = {};

    friend bool operator==(const Record&, const Record&) = default;
};

// A list or text over its limit, or members that contradict each other: invalid_argument, the
// pointer being the member's name as posted to /v1/consents. What is refused means nothing; a
// denial is refused for nothing that only a grant needs.
cdp::Result<void> check(const Record& record);

inline constexpr std::size_t kAssertedMax = 64;
inline constexpr std::size_t kChannelsMax = 64;
inline constexpr std::size_t kRecordLabelsMax = 64;
inline constexpr std::size_t kEvidenceMax = 16;
inline constexpr std::size_t kOverridesMax = 64;
inline constexpr std::size_t kRecordTextMax = 1024;
inline constexpr std::size_t kRecordSignalMax = std::size_t{32} * 1024;
inline constexpr std::size_t kRecordBytesMax = 60'000;  // encoded; a sealed row stays below 64 kB

// Starts with a format version: 1 when that can say all of it, else 2. So what was once written
// encodes to the same bytes for ever. decode refuses (corruption) what encode did not write.
std::string encode(const Record& record);
cdp::Result<Record> decode(std::string_view bytes);

// The same content gives the same id; `id` and `received` are not content.
cdp::RecordId content_id(const Record& record);

// Whether `again` can be the answer `stored`, sent once more. Where the server made the time, or
// cut it to that of receipt, the repetition comes with another.
bool repeats(const Record& stored, Record again);

// The method's name, or the other one's text; and back.
std::string_view method_text(const Record& record);
void set_method(Record& record, std::string_view text);

}  // namespace consent
