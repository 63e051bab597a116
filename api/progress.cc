#include "api/progress.h"

#include <utility>

#include "api/problem.h"

namespace api {
namespace {

constexpr std::chrono::milliseconds kPause{250};

}  // namespace

void ProgressAnswer::tell(const std::function<std::string()>& progress) {
    const auto now = std::chrono::steady_clock::now();
    if (started_ && now - told_ < kPause) return;
    told_ = now;
    if (!started_) start();
    out_.write("{\"progress\":" + progress() + "}\n");
}

void ProgressAnswer::finish(const cdp::Result<std::string>& outcome) {
    if (!outcome && !started_) return answer_(problem(outcome.error()));
    if (!started_) start();
    out_.write(outcome ? "{\"result\":" + *outcome + "}\n" : error_line(outcome.error()));
    out_.finish(/*whole=*/true);
}

void ProgressAnswer::start() {
    started_ = true;
    answer_(lines_from(out_.pipe()));
}

}  // namespace api
