#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "consent/entry.h"
#include "consent/policy.h"
#include "consent/sha256.h"

// What an answer told about whom, and how that is written down so that an outsider can check it.
// Pure; docs/decisions/0019.
namespace consent {

using DecisionId = cdp::Id<struct DecisionTag>;
using MaskId = cdp::Id<struct MaskTag>;

// Where a field stands in the answer. On disk: never change one.
enum class Section : std::uint8_t {
    fields = 0,       // traits
    identifiers = 1,  // by type
    events = 2,       // that they were
    properties = 3,   // of events
    persons = 4,      // the id of a person, or of what a person said
    routes = 5,       // what somebody who runs the platform looked at
};

std::string_view to_string(Section value);

// A field as it left, or as it stayed.
struct MaskField {
    Section section = Section::fields;
    std::string within = {};  // of an event or a property: the name of the event
    std::string name = {};
    Labels labels = {};  // sorted
    bool withheld = false;
    std::string form = {};  // the transform it left under; withheld: the reason

    friend auto operator<=>(const MaskField&, const MaskField&) = default;
};

// Which fields left in which form. Sorted, each once: equal masks have equal bytes.
using Mask = std::vector<MaskField>;

std::string encode(const Mask& mask);
cdp::Result<Mask> decode_mask(std::string_view bytes);
MaskId mask_id(std::string_view encoded);

// One field that was written into a body, or withheld from it.
struct Listing {
    cdp::Token home = {};  // whose: the identifier under which it is filed
    MaskField field = {};
    std::optional<cdp::RecordId> evidence = {};
};

// What one answer told about one subject.
struct SubjectMask {
    enum class Kind : std::uint8_t {
        identifier = 0,  // `id` is its token
        person = 1,      // `id` is a person's: all that is known of a subject named by a feed
        nobody = 2,      // everybody, or nobody: an export
    };
    Kind kind = Kind::identifier;
    std::array<std::uint8_t, 16> id = {};
    Mask mask = {};
    std::vector<cdp::RecordId> evidence = {};  // sorted, each once

    friend bool operator==(const SubjectMask&, const SubjectMask&) = default;
};

// A mask's bytes stay below this: what is larger is told as several rows of the same subject.
inline constexpr std::size_t kMaskBytesMax = 16 * 1024;

// Everything one answer told. By subject.
struct Disclosure {
    std::string purpose = {};
    DecisionId decision = {};
    std::uint64_t ledger_size = 0;  // that the decision relied on
    std::vector<SubjectMask> subjects = {};

    friend bool operator==(const Disclosure&, const Disclosure&) = default;
};

// Folds what was listed while a body was composed.
std::vector<SubjectMask> subjects_of(std::vector<Listing> listings,
                                     std::vector<cdp::PersonId> persons);

std::string encode(const Disclosure& disclosure);
cdp::Result<Disclosure> decode_disclosure(std::string_view bytes);

// Equal disclosures about one subject, folded: how often, and when first and last.
struct DisclosureRow {
    std::array<std::uint8_t, 16> salt = {};
    cdp::Token subject = {};
    MaskId mask = {};
    DecisionId decision = {};
    std::uint32_t count = 0;
    cdp::Timestamp first{};
    cdp::Timestamp last{};

    friend bool operator==(const DisclosureRow&, const DisclosureRow&) = default;
};

// What a row's leaf is hashed over: salt 16 ‖ subject 16 ‖ mask 16 ‖ decision 16 ‖ u32 count ‖
// i64 first ‖ i64 last, in ms.
std::string leaf_entry(const DisclosureRow& row);
// nullopt: not what leaf_entry wrote.
std::optional<DisclosureRow> decode_leaf_entry(std::string_view bytes);

enum class BatchKind : std::uint8_t {
    release = 1,  // to a channel
    access = 2,   // by those who run the platform
    gap = 3,      // nobody knows: between `first` and `last` disclosures may be missing
};

std::string_view to_string(BatchKind value);
EntryType entry_type(BatchKind value);  // of its entry in the ledger

// What the ledger's entry of a batch commits to. One reader, one purpose, a second or so.
struct Batch {
    std::uint64_t number = 0;  // from 1, in order
    BatchKind kind = BatchKind::release;
    std::string role = {};       // of the reader's key
    std::string reader = {};     // the name of the reader's key; uid:N at the admin socket
    std::string channel = {};    // release
    std::string recipient = {};  // release: the legal entity behind the channel, as registered then
    std::string country = {};
    std::string purpose = {};
    cdp::Timestamp first{};
    cdp::Timestamp last{};
    std::uint64_t ledger_size = 0;  // the largest that a decision relied on
    std::uint32_t rows = 0;
    std::map<std::string, std::uint64_t> withheld = {};  // fields, times told, by reason
    Sha256 root = {};                                    // RFC 6962 over the leaves of the rows

    friend bool operator==(const Batch&, const Batch&) = default;
};

std::string encode(const Batch& batch);
cdp::Result<Batch> decode_batch(std::string_view bytes);

}  // namespace consent
