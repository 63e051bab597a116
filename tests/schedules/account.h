#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cdp/base/time.h"

namespace tests {

// When something was asked and when it was answered, by one count for all threads; an answer that
// never came is 0.
struct Asked {
    std::uint64_t began = 0;
    std::uint64_t ended = 0;

    bool answered() const { return ended != 0; }
    bool over_before(const Asked& other) const { return answered() && ended < other.began; }
};

enum class Answer { none, stored, suppressed };

// One event of a unit: some identifiers that nobody else has.
struct SentEvent : Asked {
    std::string id = {};
    int unit = 0;
    bool by_account = false;
    std::string body = {};
    Answer answer = Answer::none;
};

struct SaidConsent : Asked {
    int unit = 0;
    bool granted = false;
    cdp::Timestamp time = {};  // no two have the same
};

struct DoneErasure : Asked {
    int unit = 0;
};

struct SeenProfile : Asked {
    int unit = 0;
    bool shows = false;
};

// What clients did and were told, over all lives of a process. Under a schedule one thread runs at
// a time and nothing here gives way, so nothing is locked.
struct Account {
    std::uint64_t moment = 0;
    std::vector<SentEvent> events = {};
    std::vector<SaidConsent> consents = {};
    std::vector<DoneErasure> erasures = {};
    std::vector<SeenProfile> profiles = {};
    std::vector<std::string> wrong = {};  // answers that nobody should get
};

}  // namespace tests
