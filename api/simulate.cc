#include <chrono>

#include "api/handlers.h"
#include "api/parameters.h"
#include "api/pipe.h"
#include "api/problem.h"
#include "api/simulation_request.h"

namespace api {
namespace {

// Longer than this nobody waits for the first byte.
constexpr std::chrono::seconds kSilence{5};

// One request, on the thread that simulates. With progress its answer begins when the simulation
// does, else when it is done or has taken long; what is refused before that is a problem document.
class Simulation {
public:
    Simulation(const Services& services, cdp::Reader reader, bool tells_progress, Answer answer)
        : services_(services),
          reader_(std::move(reader)),
          tells_progress_(tells_progress),
          answer_(std::move(answer)) {}

    void run(const cdp::SimulationRequest& request) {
        const auto done = services_.platform.simulate(
            reader_, request,
            [this](const identity::Progress& progress) { return report(progress); });
        if (!started_) return answer_(document(done));
        if (done)
            out_.write(tells_progress_ ? "{\"result\":" + *done + "}\n" : *done + "\n");
        else if (tells_progress_)
            out_.write(error_line(done.error()));
        out_.finish(done || tells_progress_);
    }

private:
    bool report(const identity::Progress& progress) {
        if (services_.draining && *services_.draining) return false;
        const bool long_enough = std::chrono::steady_clock::now() - begun_ > kSilence;
        if (!started_ && (tells_progress_ || long_enough)) start();
        if (!started_) return true;
        if (tells_progress_)
            return out_.write(
                "{\"progress\":{\"identifiers\":" + std::to_string(progress.identifiers) +
                ",\"changed\":" + std::to_string(progress.changed) + "}}\n");
        // White space before the document: the client is there, and so are we.
        return out_.write(" ");
    }

    void start() {
        started_ = true;
        Response response;
        response.headers = kPrivate;
        if (tells_progress_) response.content_type = "application/x-ndjson";
        response.stream = std::make_unique<PipedBody>(out_.pipe());
        answer_(std::move(response));
    }

    const Services& services_;
    const cdp::Reader reader_;
    const bool tells_progress_;
    const Answer answer_;
    PipeWriter out_;
    const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    bool started_ = false;  // the answer is on its way
};

}  // namespace

void simulate(const Services& services, const Request& request, Answer answer) {
    auto wanted = read_simulation(request.body, services.platform.config().types);
    if (!wanted) return answer(problem(wanted.error()));
    const auto progress = query_value(request.head->query, "progress").value_or("");
    if (!progress.empty() && progress != "true" && progress != "false")
        return answer(
            problem(invalid("progress_unclear", "Progress is true or false.", "/progress")));
    services.aside(request, [&services, reader = reader_of(request), wanted = std::move(*wanted),
                             tells = progress == "true", answer = std::move(answer)]() mutable {
        Simulation(services, std::move(reader), tells, std::move(answer)).run(wanted);
    });
}

}  // namespace api
