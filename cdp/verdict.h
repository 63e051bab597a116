#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cdp/base/result.h"
#include "cdp/consent_request.h"

// What those who bring facts are told.
namespace cdp {

enum class VerdictKind : std::uint8_t { accepted, duplicate, suppressed, rejected };

std::string_view to_string(VerdictKind value);

// What became of one event. `accepted` and `duplicate` mean: on disk, deduplicated, resolved to a
// person, visible to every read that starts afterwards.
struct Verdict {
    VerdictKind kind = VerdictKind::rejected;
    std::string message_id;  // empty when the event had none that could be read
    Error error = {};        // rejected: why
    std::vector<std::string> warnings{};
};

// The verdicts in the order of the events; or an Error: some may be stored and some not, and
// sending all of them again is safe.
using Ingested = std::function<void(Result<std::vector<Verdict>>)>;

// Each record as it was taken, in order; or an Error: unless the input was at fault, some may be
// stored, and sending them again with the same keys or times is safe.
using Recorded = std::function<void(Result<std::vector<RecordedConsent>>)>;

struct Counters {
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> duplicate{0};
    std::atomic<std::uint64_t> suppressed{0};
    std::atomic<std::uint64_t> rejected{0};
    std::atomic<std::uint64_t> conflicts{0};  // transactions that were read again
    std::atomic<std::uint64_t> folds{0};      // transactions that needed the fold
    std::atomic<std::uint64_t> consent_records{0};
    std::atomic<std::uint64_t> profile_reads{0};
    std::atomic<std::uint64_t> profile_cache_hits{0};
};

}  // namespace cdp
