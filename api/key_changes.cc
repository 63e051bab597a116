#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/pipe.h"
#include "api/problem.h"
#include "cdp/key_epochs.h"

// The keys that the data folder itself is kept with.
namespace api {
namespace {

constexpr std::chrono::milliseconds kPause{250};

Response no_keyring() {
    return problem(503, "no_keyring", "What is served here has no keyring of its own.");
}

// One change, on the thread that makes it. The answer begins with the first progress; what is
// refused before that is a problem document. It goes on when its reader is gone.
class EpochChange {
public:
    EpochChange(cdp::KeyEpochs& epochs, Answer answer)
        : epochs_(epochs), answer_(std::move(answer)) {}

    void run() {
        const auto changed = epochs_.change(
            [this](std::string_view stage, std::uint64_t keys) { report(stage, keys); });
        if (!changed && !started_) return answer_(problem(changed.error()));
        if (!started_) start();
        pipe_->write(changed ? "{\"result\":" + render(*changed) + "}\n"
                             : error_line(changed.error()));
        pipe_->finish(/*whole=*/true);
    }

private:
    void report(std::string_view stage, std::uint64_t keys) {
        const auto now = std::chrono::steady_clock::now();
        if (started_ && now - told_ < kPause) return;
        told_ = now;
        if (!started_) start();
        pipe_->write(R"({"progress":{"stage":")" + std::string(stage) + R"(","keys":)" +
                     std::to_string(keys) + "}}\n");
    }

    void start() {
        started_ = true;
        answer_(lines_from(pipe_));
    }

    cdp::KeyEpochs& epochs_;
    const Answer answer_;
    const std::shared_ptr<Pipe> pipe_ = std::make_shared<Pipe>();
    std::chrono::steady_clock::time_point told_ = {};
    bool started_ = false;
};

}  // namespace

void change_epoch(const Services& services, const Request&, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    services.aside([&epochs = *services.key_epochs, answer = std::move(answer)]() mutable {
        EpochChange(epochs, std::move(answer)).run();
    });
}

void show_epochs(const Services& services, const Request&, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    services.aside([&epochs = *services.key_epochs, answer = std::move(answer)] {
        answer(document(epochs.state()));
    });
}

// It writes a file where it is told, so only who is on the machine may ask.
void add_escrow(const Services& services, const Request& request, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    if (request.uid < 0)
        return answer(
            problem(403, "local_only", "An escrow is made on the machine of the server."));
    const auto wanted = parse_json(request.body);
    if (!wanted) return answer(problem(wanted.error()));
    if (const auto known = check_members(*wanted, "", {"path", "recipient"}); !known)
        return answer(problem(known.error()));
    const auto path = string_member(*wanted, "path", "");
    if (!path) return answer(problem(path.error()));
    const auto hex = string_member(*wanted, "recipient", "");
    if (!hex) return answer(problem(hex.error()));
    const auto recipient = storage::parse_recipient(*hex);
    if (!recipient)
        return answer(problem(400, "recipient_malformed",
                              "A recipient is an X25519 public key, 64 hexadecimal digits.",
                              "/recipient"));
    services.aside([&epochs = *services.key_epochs, path = *path, recipient = *recipient,
                    answer = std::move(answer)] {
        const auto place = epochs.escrows().add(path, recipient);
        auto response = document(place ? cdp::Result<std::string>(cdp::render(*place))
                                       : cdp::Result<std::string>(place.error()));
        if (place) response.status = 201;
        answer(std::move(response));
    });
}

void rotate_ledger_key(const Services& services, const Request&, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    services.aside([&platform = services.platform, &epochs = *services.key_epochs,
                    &clock = services.clock, answer = std::move(answer)] {
        answer(document(epochs.rotate_ledger_key([&](const cdp::KeyEpochs::Renew& renew) {
            return platform.ledger().rotate(clock.now(), renew);
        })));
    });
}

}  // namespace api
