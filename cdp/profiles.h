#pragma once

#include <string>
#include <string_view>

#include "cdp/answer_cache.h"
#include "cdp/destination_forms.h"
#include "cdp/person_traits.h"
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
    void write_fields(const Person& person, const HeldTraits& traits, const consent::Gate& gate,
                      DestinationForms& forms, consent::ReleasedBody& body) const;

    ReadNeeds needs_;
    Counters& counters_;
    AnswerCache cache_;
};

}  // namespace cdp
