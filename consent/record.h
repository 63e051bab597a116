#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"

namespace consent {

// The numbers below are on disk: never change one, never reuse one.

// What was said. Spelled as on the wire.
enum class State : std::uint8_t { granted = 1, denied = 2, withdrawn = 3, objected = 4 };

// How far a denial reaches: its identifier, or everybody's data that is held to be one person with
// it. `device` acts like `identifier`; it tells where it was said. Grants reach their identifier
// only; one of scope person can also lift a person-wide denial that was made under the same
// identifier.
enum class Scope : std::uint8_t { identifier = 1, device = 2, person = 3 };

// Who brought the answer.
enum class Origin : std::uint8_t {
    client_stamp = 1,  // an SDK's preferences on an event of a source whose key is public
    server_stamp = 2,  // the same from a source of trust server
    server = 3,        // POST /v1/consents by a source of trust server
    officer = 4,
};

std::string_view to_string(State value);
std::optional<State> parse_state(std::string_view name);
std::string_view to_string(Scope value);
std::optional<Scope> parse_scope(std::string_view name);
std::string_view to_string(Origin value);
std::optional<Origin> parse_origin(std::string_view name);

// Everything but `granted`.
constexpr bool is_denial(State state) {
    return state != State::granted;
}

// The scope of an answer that named none. A denial reaches as far as it can; a grant, which never
// spreads, must be able to take back what an earlier answer of the same kind denied.
inline constexpr Scope kDefaultScope = Scope::person;

// Anybody can send what a client can: its denials count, but it grants nothing on an e-mail address
// or phone number (`contact`). decide() and record() both hold to this.
constexpr bool counts(State state, Origin origin, bool contact) {
    return is_denial(state) || origin != Origin::client_stamp || !contact;
}

struct Notice {
    std::string id = {};
    std::string version = {};
    std::string hash = {};

    friend bool operator==(const Notice&, const Notice&) = default;
};

// One answer, immutable. A withdrawal is a record too, never the absence of one.
struct Record {
    cdp::RecordId id = {};
    std::vector<cdp::Token> asserted = {};  // the identifiers proven in that interaction
    std::string purpose = {};
    std::vector<std::string> channels = {};  // empty: all
    State state = State::denied;
    Scope scope = Scope::person;
    cdp::Timestamp time{};  // event time, fixed when first accepted
    cdp::Timestamp received{};
    std::optional<cdp::Timestamp> valid_until = {};  // exclusive; a denial does not run out
    Origin origin = Origin::client_stamp;
    std::string source = {};  // name of the source or key that brought it
    std::string method = {};
    Notice notice = {};
    std::string actor = {};

    friend bool operator==(const Record&, const Record&) = default;
};

// invalid_argument when the record can mean nothing: no identifier, no purpose, valid_until not
// after time, a list or text over its limit.
cdp::Result<void> check(const Record& record);

inline constexpr std::size_t kAssertedMax = 64;
inline constexpr std::size_t kChannelsMax = 64;
inline constexpr std::size_t kRecordTextMax = 1024;
inline constexpr std::size_t kRecordBytesMax = std::size_t{32} * 1024;  // encoded

// Starts with a format version. decode refuses (corruption) what encode did not write.
std::string encode(const Record& record);
cdp::Result<Record> decode(std::string_view bytes);

// The same content gives the same id; `id` and `received` are not content.
cdp::RecordId content_id(const Record& record);

// Whether `again` can be the answer `stored`, sent once more. Where the server made the time, or
// cut it to that of receipt, the repetition comes with another.
bool repeats(const Record& stored, Record again);

}  // namespace consent
