#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "cdp/disclosure_rows.h"
#include "consent/disclosure.h"
#include "consent/policy.h"
#include "storage/vault.h"

// What stands in the journal, and how equal disclosures become one row.
namespace cdp {

// Who was told, beside what.
struct ToldTo {
    consent::BatchKind kind = consent::BatchKind::release;
    std::string role = {};
    std::string name = {};     // of the key; uid:N
    std::string channel = {};  // release
    std::string reason = {};   // access
};

std::string encode(const ToldTo& to);

// A record of the journal: u8 1, u32 number, i64 time, sealed ToldTo and disclosure. The number
// stands for both in the rest of the segment.
std::string told_record(std::uint32_t number, Timestamp time, std::string_view sealed);
// u8 2, u32 number, i64 time: the same was told again.
std::string told_again_record(std::uint32_t number, Timestamp time);

std::string seal_told(const storage::SubjectKey& key, std::string_view to, std::string_view told);

// One segment of the journal, folded.
class DisclosureFold {
public:
    explicit DisclosureFold(const storage::SubjectKey& key) : key_(key) {}

    // False: not a record of this journal, or about a number that was not told before.
    bool add(std::string_view record);

    struct Row {
        consent::SubjectMask::Kind kind = consent::SubjectMask::Kind::identifier;
        std::array<std::uint8_t, 16> subject = {};
        std::string mask;  // encoded
        SubjectRow row;
        std::vector<std::string> kept = {};  // why, each field that was withheld
    };
    // One reader's, or a part of them that one transaction can take.
    struct Folded {
        consent::Batch batch;  // without number, rows and root
        std::vector<Row> rows;
    };
    // The same list of the same records, but for what the policy says of channels.
    std::vector<Folded> finish(const consent::Policy& policy) const;

private:
    struct Told {
        ToldTo to;
        consent::Disclosure disclosure;
        std::uint32_t count = 0;
        Timestamp first{};
        Timestamp last{};
    };
    using Reader = std::tuple<consent::BatchKind, std::string, std::string, std::string,
                              std::string>;  // role, name, channel, purpose
    using RowId = std::tuple<consent::SubjectMask::Kind, std::array<std::uint8_t, 16>,
                             consent::DecisionId, std::string, std::string>;  // mask, reason

    static void fold(const Told& told, Folded& into, std::map<RowId, std::size_t>& rows);
    static void add_parts(Folded whole, std::vector<Folded>& out);

    const storage::SubjectKey& key_;
    std::unordered_map<std::uint32_t, Told> told_;
};

}  // namespace cdp
