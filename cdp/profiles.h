#pragma once

#include <map>
#include <string>
#include <string_view>

#include "cdp/answer_cache.h"
#include "cdp/destination_forms.h"
#include "cdp/platform.h"
#include "cdp/read_needs.h"
#include "consent/released_body.h"

namespace cdp {

// Persons as channels may see them: loaded, folded, and passed field by field through the gate.
// Everything it refers to must outlive it.
class Profiles {
public:
    Profiles(ReadNeeds needs, Counters& counters);

    // See Platform::profile.
    Result<AnswerCache::Answer> profile(const Principal& channel, std::string_view type,
                                        std::string_view value, std::string_view purpose);

private:
    struct Held {
        Token home;
        StoredTrait trait;
        FieldClass what = {};
    };
    using Traits = std::map<std::string, Held, std::less<>>;

    Result<Traits> traits_of(People::Reading reading, const Person& person) const;
    void write_fields(const Person& person, const Traits& traits, const consent::Gate& gate,
                      DestinationForms& forms, consent::ReleasedBody& body) const;
    consent::Passed pass_trait(const consent::Gate& gate, DestinationForms& forms,
                               const Held& held) const;
    consent::Passed pass_identifier(const consent::Gate& gate, DestinationForms& forms,
                                    const PersonMember& member) const;
    ReadNeeds needs_;
    Counters& counters_;
    AnswerCache cache_;
};

}  // namespace cdp
