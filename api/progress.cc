#include "api/progress.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "api/json.h"
#include "api/problem.h"

namespace api {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kPause{250};

}  // namespace

bool ProgressAnswer::tell(const std::function<std::string()>& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (started_ && now - told_ < kPause) return true;
    told_ = now;
    if (!started_) start();
    return pipe_->write("{\"progress\":" + progress() + "}\n");
}

void ProgressAnswer::finish(const cdp::Result<std::string>& outcome) {
    if (!outcome && !started_) return answer_(problem(outcome.error()));
    if (!started_) start();
    if (outcome) {
        pipe_->write("{\"result\":" + *outcome + "}\n");
    } else {
        auto refusal = problem(outcome.error()).body;
        while (refusal.ends_with('\n')) refusal.pop_back();
        pipe_->write("{\"error\":" + refusal + "}\n");
    }
    pipe_->finish(/*whole=*/true);
}

void ProgressAnswer::start() {
    started_ = true;
    answer_(lines_from(pipe_));
}

cdp::Result<json> follow(AdminClient& server, const AdminRequest& request,
                         const std::function<void(const json&)>& progress) {
    std::string rest;
    cdp::Result<json> result;
    CDP_CHECK(server.ask(request, [&](std::string_view bytes) {
        rest += bytes;
        for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
            const auto line = parse_json(rest.substr(0, end));
            rest.erase(0, end + 1);
            if (!line) continue;
            if (line->contains("result")) result = (*line)["result"];
            if (line->contains("error")) result = error_in((*line)["error"]);
            if (line->contains("progress")) progress((*line)["progress"]);
        }
        return true;
    }));
    return result;
}

bool Pace::due() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::seconds{1}) return false;
    last_ = now;
    return true;
}

}  // namespace api
