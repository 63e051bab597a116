#pragma once

#include <string_view>

#include "cdp/answer_cache.h"
#include "cdp/read_needs.h"

namespace cdp {

// Google's four signals about one identifier of a person, for the channel that sends to Google:
// decisions alone, through the same gate as every other answer. Everything it refers to must
// outlive it.
class GoogleConsent {
public:
    explicit GoogleConsent(ReadNeeds needs) : needs_(needs) {}

    // See Platform::google_consent.
    Result<AnswerCache::Answer> answer(const Principal& channel, std::string_view type,
                                       std::string_view value) const;

private:
    ReadNeeds needs_;
};

}  // namespace cdp
