#pragma once

#include <string_view>

#include "cdp/answer_cache.h"
#include "cdp/people.h"
#include "consent/consents.h"
#include "storage/store.h"

namespace cdp {

// Google's four signals about one identifier of a person, for the channel that sends to Google:
// decisions alone, through the same gate as every other answer. Everything it refers to must
// outlive it.
class GoogleConsent {
public:
    struct Needs {
        const storage::Store& store;
        const storage::Vault& vault;
        const People& people;
        const consent::Consents& consents;
        const Config& config;
        const Clock& clock;
    };
    explicit GoogleConsent(Needs needs) : needs_(needs) {}

    // See Platform::google_consent.
    Result<AnswerCache::Answer> answer(const Principal& channel, std::string_view type,
                                       std::string_view value) const;

private:
    Needs needs_;
};

}  // namespace cdp
