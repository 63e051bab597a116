#include "cdp/google_consent.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "cdp/answer.h"
#include "consent/google.h"

namespace cdp {
namespace {

// In the order of consent::kGoogleSignals.
constexpr std::array<consent::Literal, consent::kGoogleSignals.size()> kMembers = {
    ",\"ad_storage\":", ",\"ad_user_data\":", ",\"ad_personalization\":",
    ",\"analytics_storage\":"};

// The purposes that the signals rest on, each once.
std::vector<std::string> purposes_of(const consent::GooglePurposes& signals) {
    std::vector<std::string> purposes;
    for (const auto& list : signals) purposes.insert(purposes.end(), list.begin(), list.end());
    std::ranges::sort(purposes);
    purposes.erase(std::ranges::unique(purposes).begin(), purposes.end());
    return purposes;
}

}  // namespace

Result<AnswerCache::Answer> GoogleConsent::answer(const Principal& channel, std::string_view type,
                                                  std::string_view value) const {
    const auto now = needs_.clock.now();
    CDP_CHECK(check_channel(needs_.config, channel));
    const auto snapshot = needs_.store.snapshot();
    storage::Transaction transaction(*snapshot, storage::kPartition);
    const People::Reading reading{*snapshot, transaction};
    const auto token = CDP_TRY(needs_.people.resolve(reading, type, value));
    const auto person = CDP_TRY(needs_.people.load(reading, token));

    // Of the identifier itself, as if it were collected now.
    const consent::Datum datum{.home = token, .value = token, .captured = now};
    const auto purposes = purposes_of(needs_.config.google);
    std::vector<consent::PurposeVerdict> verdicts;
    for (const auto& purpose : purposes) {
        const consent::Judge judge(needs_.config.policy, person.consents,
                                   {purpose, channel.channel, now});
        verdicts.push_back({purpose, judge.decide(datum).allowed()});
    }
    const auto signals = consent::google_signals(needs_.config.google, verdicts);
    const auto ledger_size = CDP_TRY(needs_.consents.ledger_size(*snapshot));
    consent::ReleasedBody body;
    body.text("{\"person\":\"").person(person.id, token).text("\"");
    for (std::size_t i = 0; i < signals.size(); ++i) {
        body.text(kMembers[i]);
        if (signals[i] == "granted")
            body.text("\"granted\"");
        else
            body.text("\"denied\"");
    }
    end_decided(body, decision_id(needs_.vault, person, channel, kGoogleDecision, ledger_size),
                ledger_size);
    return std::make_shared<const Unlisted>(std::move(body).finish());
}

}  // namespace cdp
