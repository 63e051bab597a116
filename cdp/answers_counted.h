#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "cdp/disclosure_rows.h"

namespace cdp {

// How often answers were given, of rows that come newest first: one answer has a row for each
// identifier it told of. Batches overlap in time by little, so that few are remembered.
class AnswersCounted {
public:
    // How often the row's answer was given that is not counted yet.
    std::uint64_t times(const Disclosed& row) {
        std::erase_if(counted_, [&](const auto& one) { return row.row.last < one.second.since; });
        auto& [since, times] =
            counted_
                .try_emplace({row.batch.number, row.row.decision, looked_by(row)},
                             Answer{row.batch.first, 0})
                .first->second;
        const auto more = row.row.count > times ? row.row.count - times : 0;
        times += more;
        return more;
    }

private:
    // What else tells two looks apart.
    static std::string looked_by(const Disclosed& row) {
        if (row.batch.kind != consent::BatchKind::access || row.mask.empty()) return {};
        return row.mask.front().name + '\n' + row.reason;
    }

    struct Answer {
        Timestamp since{};  // rows of the batch are no older
        std::uint64_t times = 0;
    };
    std::map<std::tuple<std::uint64_t, consent::DecisionId, std::string>, Answer> counted_ = {};
};

}  // namespace cdp
