#pragma once

#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/decisions.h"

namespace api {

// What was posted to /v1/decisions: one question, or several as `questions`. Only the form is
// judged.
struct PostedQuestions {
    std::vector<cdp::DecisionQuestion> all = {};
    bool several = false;
};
cdp::Result<PostedQuestions> read_questions(std::string_view body);

}  // namespace api
