#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "cdp/corrections.h"
#include "cdp/destination_forms.h"
#include "cdp/field.h"
#include "cdp/people.h"
#include "consent/gate.h"

// The traits and identifiers of a person as data that the gate is asked about.
namespace cdp {

struct HeldTrait {
    Token home;  // the identifier it was learnt under
    StoredTrait trait;
    FieldClass what = {};
};
using HeldTraits = std::map<std::string, HeldTrait, std::less<>>;

// Every trait of every identifier, by identifier and row. An error of the visit ends it.
using VisitTrait = std::function<Result<void>(const PersonMember& member, StoredTrait trait)>;
Result<void> each_trait(People::Reading reading, const Person& person, const VisitTrait& visit);

// Of each name the one that supersedes the others, of those whose time has not passed. One that
// was cleared is none, and so is a value that a correction under any of the identifiers refuses,
// the newest that names it.
struct TraitsInUse {
    HeldTraits traits = {};
    std::optional<Timestamp> until = {};  // when the first of them expires
};
Result<TraitsInUse> held_traits(const Config& config, const storage::Vault& vault,
                                const Corrections& corrections, People::Reading reading,
                                const Person& person, Timestamp now);

// Before a gate is made of the person: whom the traits and identifiers name counts too.
Result<void> heed_named(const People& people, People::Reading reading, Person& person,
                        HeldTraits& traits, Timestamp now);

consent::Passed pass_trait(const Config& config, const consent::Gate& gate, DestinationForms& forms,
                           const HeldTrait& held);
// An identifier is a datum of its own: collected when it was first seen, and anew by a grant that
// names it.
consent::Passed pass_identifier(const Config& config, const consent::Gate& gate,
                                DestinationForms& forms, const PersonMember& member);

}  // namespace cdp
