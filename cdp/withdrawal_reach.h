#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/fact.h"

// Whom a withdrawal concerns: those who were told what it takes back. Pure; docs/decisions/0024.
namespace cdp {

// A denial, as far as those must know of it who were told something before.
struct Denial {
    RecordId id = {};
    std::vector<Token> tokens = {};  // sorted: the identifiers of the person that it names
    std::string purpose = {};
    std::vector<std::string> channels = {};  // empty: all
    std::vector<std::string> labels = {};    // empty: all
    consent::State state = consent::State::denied;
    bool whole_person = true;  // or its identifiers alone
    Timestamp time{};          // when it was said
    Timestamp received{};      // when we were told
    Timestamp counted{};       // for the order of denials: received; of a cell the first moment
};

// What one disclosure held.
struct ToldFields {
    std::vector<std::string> labels = {};  // of any field; sorted
    std::vector<std::string> names = {};   // sorted
};

// That a channel was told something of a person, at least twice: `first` and `last`; or once.
struct Told {
    std::string channel = {};
    std::string purpose = {};
    Timestamp first{};
    Timestamp last{};
    std::shared_ptr<const ToldFields> fields = {};
};

// What was told is taken back by the denial, as far as purpose, channel and labels say.
bool takes_back(const Denial& denial, const Told& told);

// Those of `told` that nobody had to be told of before: the denial takes them back, they left
// before it was received, and no earlier one of `denials` that reaches as far lies in between. All
// are of one person. In their order.
std::vector<const Told*> news_to(const Denial& denial, std::span<const Told> told,
                                 std::span<const Denial> denials);

// An answer that was under way when a withdrawal was received may leave until it is committed.
inline constexpr std::chrono::seconds kUnderWay{60};

}  // namespace cdp
