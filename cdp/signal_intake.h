#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cdp/base/time.h"
#include "cdp/event.h"
#include "consent/fact.h"
#include "consent/policy.h"
#include "consent/signal_effect.h"
#include "consent/signal_fault.h"

// From a consent signal to what it says of the purposes that heed it. docs/decisions/0017.
namespace cdp {

// What is written into a record beside the signal that it was read from.
inline constexpr std::string_view kSignalParser = "1";

// What a signal says of one purpose.
struct SignalWord {
    std::string purpose;
    std::string channel;  // of this channel alone; empty: of all
    consent::State state = consent::State::denied;
    // The browser's own opt-out, which the law makes the person's whose browser it is.
    bool opts_out_person = false;

    friend bool operator==(const SignalWord&, const SignalWord&) = default;
};

struct SignalReading {
    // In the policy's order of purposes; a purpose's own word before those of channels, which are
    // there only where they are stricter.
    std::vector<SignalWord> words;
    // What of it could not be read, or may not be acted on, each once. Its words are denials.
    std::vector<consent::SignalFault> faults;
};

// Pure. Of several keys that one purpose heeds the strictest holds. A string that says which
// vendors were agreed to denies its purposes to the channels of the others. `at` is when it was
// said; only its UTC day counts, so that a day's repetitions are all read alike.
SignalReading read_signal(const consent::Policy& policy, consent::SignalType type,
                          std::string_view text, Timestamp at);

// The reason of a fault, as in an event's warnings: signal_truncated.
std::string signal_warning(consent::SignalFault fault);

// A signal of an event, read.
struct ReadSignal {
    consent::StampSignal signal;
    std::string text;
    std::shared_ptr<const SignalReading> reading;
};

std::vector<ReadSignal> read_signals(const consent::Policy& policy,
                                     std::span<const SentSignal> signals, Timestamp at);

// Reads signals and remembers what it read: SDKs repeat a string with every event. Bounded, the
// older half goes when it is full. Safe to use from many threads; the policy must outlive it.
class SignalReader {
public:
    explicit SignalReader(const consent::Policy& policy, std::size_t kept_max = 16'384)
        : policy_(policy), generation_max_(kept_max / kShards / 2 + 1) {}

    std::vector<ReadSignal> read(std::span<const SentSignal> signals, Timestamp at) const;

private:
    using Reading = std::shared_ptr<const SignalReading>;
    using Generation = std::unordered_map<RecordId, Reading>;
    static constexpr std::size_t kShards = 8;

    struct Shard {
        std::mutex mutex;  // both maps
        Generation young;
        Generation old;
    };

    Reading find(Shard& shard, const RecordId& id) const;
    void keep(Shard& shard, const RecordId& id, const Reading& reading) const;

    const consent::Policy& policy_;
    std::size_t generation_max_;
    mutable std::array<Shard, kShards> shards_;
};

}  // namespace cdp
