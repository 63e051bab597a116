#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/admin_client.h"
#include "api/handlers.h"
#include "api/pipe.h"

// Answers that take long: lines of {"progress":{…}}, and then one {"result":{…}} or {"error":{…}}.
namespace api {

// One answer, on the thread that works on it. It begins with the first progress; what is refused
// before that is a problem document.
class ProgressAnswer {
public:
    explicit ProgressAnswer(Answer answer) : answer_(std::move(answer)) {}

    // Says so at most some times a second. False: nobody reads any more.
    bool tell(const std::function<std::string()>& progress);
    // The outcome, a JSON object. Once, at the end.
    void finish(const cdp::Result<std::string>& outcome);

private:
    void start();

    const Answer answer_;
    const std::shared_ptr<Pipe> pipe_ = std::make_shared<Pipe>();
    std::chrono::steady_clock::time_point told_ = {};
    bool started_ = false;
};

// Asks for such an answer and follows it; the result.
cdp::Result<nlohmann::json> follow(AdminClient& server, const AdminRequest& request,
                                   const std::function<void(const nlohmann::json&)>& progress);

// Once a second is enough for who watches.
class Pace {
public:
    bool due();

private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

}  // namespace api
