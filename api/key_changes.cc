#include <nlohmann/json.hpp>
#include <utility>

#include "api/handlers.h"
#include "api/json.h"
#include "api/parameters.h"
#include "api/problem.h"
#include "api/progress.h"
#include "cdp/key_epochs.h"

// The keys that the data folder itself is kept with.
namespace api {
namespace {

Response no_keyring() {
    return problem(503, "no_keyring", "What is served here has no keyring of its own.");
}

}  // namespace

void change_epoch(const Services& services, const Request& request, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    services.aside(request, [&epochs = *services.key_epochs, answer = std::move(answer)]() mutable {
        ProgressAnswer progress(std::move(answer));
        const auto changed = epochs.change([&](std::string_view stage, std::uint64_t keys) {
            progress.tell([&] {
                return R"({"stage":")" + std::string(stage) + R"(","keys":)" +
                       std::to_string(keys) + "}";
            });
        });
        progress.finish(changed ? cdp::Result<std::string>(render(*changed)) : changed.error());
    });
}

void show_epochs(const Services& services, const Request& request, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    services.aside(request, [&epochs = *services.key_epochs, answer = std::move(answer)] {
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
    services.aside(request, [&epochs = *services.key_epochs, path = *path, recipient = *recipient,
                             answer = std::move(answer)] {
        const auto place = epochs.escrows().add(path, recipient);
        auto response = document(place ? cdp::Result<std::string>(cdp::render(*place))
                                       : cdp::Result<std::string>(place.error()));
        if (place) response.status = 201;
        answer(std::move(response));
    });
}

void rotate_ledger_key(const Services& services, const Request& request, Answer answer) {
    if (!services.key_epochs) return answer(no_keyring());
    services.aside(request, [&platform = services.platform, &epochs = *services.key_epochs,
                             &clock = services.clock, answer = std::move(answer)] {
        answer(document(epochs.rotate_ledger_key([&](const cdp::KeyEpochs::Renew& renew) {
            return platform.ledger().rotate(clock.now(), renew);
        })));
    });
}

}  // namespace api
