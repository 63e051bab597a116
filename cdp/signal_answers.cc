#include "cdp/signal_answers.h"

#include <algorithm>
#include <optional>

#include "cdp/refuse.h"
#include "cdp/signal_intake.h"

namespace cdp {
namespace {

// The request's channels as far as the word concerns them; nullopt: not at all.
std::optional<std::vector<std::string>> channels_of(const ConsentRequest& request,
                                                    const SignalWord& word) {
    if (word.channel.empty()) return request.channels;
    const bool meant = request.channels.empty() ||
                       std::ranges::find(request.channels, word.channel) != request.channels.end();
    return meant ? std::optional(std::vector{word.channel}) : std::nullopt;
}

// A record of its own needs a key of its own, the same each time.
std::string key_of(const ConsentRequest& request, const SignalWord& word) {
    if (request.idempotency_key.empty()) return {};
    return request.idempotency_key + '#' + word.purpose + '#' + word.channel;
}

}  // namespace

Result<SignalAnswers> answers_of(const consent::Policy& policy, const ConsentRequest& request,
                                 const std::string& pointer, Timestamp now) {
    SignalAnswers out;
    if (!request.purpose.empty()) {
        out.all.push_back(request);
        return out;
    }
    if (!request.signal)
        return refuse("purpose_required", "A purpose is expected here.", pointer + "/purpose");
    const auto type = consent::parse_signal_type(request.signal->type);
    if (!type)
        return refuse("invalid_signal", "There is no such type of signal.",
                      pointer + "/signal/type");
    if (!request.state.empty())
        return refuse("state_in_signal", "Without a purpose the signal says the state.",
                      pointer + "/state");

    const auto reading =
        read_signal(policy, *type, request.signal->raw, std::min(request.time.value_or(now), now));
    for (const SignalWord& word : reading.words) {
        auto channels = channels_of(request, word);
        if (!channels) continue;
        ConsentRequest one = request;
        one.purpose = word.purpose;
        one.state = to_string(word.state);
        one.channels = std::move(*channels);
        one.idempotency_key = key_of(request, word);
        if (one.method.empty()) one.method = to_string(consent::Method::signal);
        // A device's permission is the device's, whoever has it.
        if (one.scope.empty() && *type == consent::SignalType::att)
            one.scope = to_string(consent::Scope::device);
        out.all.push_back(std::move(one));
    }
    for (const auto fault : reading.faults)
        out.warnings.push_back({signal_warning(fault), pointer + "/signal/raw"});
    if (out.all.empty())
        return refuse("signal_without_effect", "No configured purpose heeds what the signal says.",
                      pointer + "/signal");
    return out;
}

}  // namespace cdp
