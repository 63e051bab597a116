#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "api/handlers.h"
#include "api/pipe.h"

namespace api {

// An answer that takes long: lines of {"progress":{…}}, and then one {"result":{…}} or
// {"error":{…}}; AdminClient::ask_with_progress reads it. It begins with the first progress; what
// is refused before that is a problem document. For the thread that works on it.
class ProgressAnswer {
public:
    explicit ProgressAnswer(Answer answer) : answer_(std::move(answer)) {}

    // Says so at most some times a second. Goes on when its reader is gone.
    void tell(const std::function<std::string()>& progress);
    // The outcome, a JSON object. Once, at the end.
    void finish(const cdp::Result<std::string>& outcome);

private:
    void start();

    const Answer answer_;
    PipeWriter out_;
    std::chrono::steady_clock::time_point told_ = {};
    bool started_ = false;
};

}  // namespace api
