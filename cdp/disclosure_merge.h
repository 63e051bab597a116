#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/result.h"
#include "cdp/base/time.h"
#include "storage/store.h"

// The rows of several subjects as one list.
namespace cdp {

// Where a row is in such a list. No two rows of anybody are at the same place.
struct DisclosedPlace {
    Timestamp last{};
    std::uint64_t batch = 0;
    std::uint32_t row = 0;

    // Newest first.
    friend bool operator<(const DisclosedPlace& a, const DisclosedPlace& b);
    friend bool operator==(const DisclosedPlace&, const DisclosedPlace&) = default;
};

// Rows as they are stored, newest first, read in small pieces. The snapshot must outlive it.
class DisclosedMerge {
public:
    // From behind `after` on.
    DisclosedMerge(const storage::Snapshot& snapshot, const std::vector<Token>& subjects,
                   const std::optional<DisclosedPlace>& after);

    struct Item {
        Token subject{};
        DisclosedPlace place = {};
        std::string key = {};
        std::string value = {};
    };
    // nullopt: that was all.
    Result<std::optional<Item>> next();

private:
    struct Source {
        Token subject{};
        std::string behind = {};  // read up to and with this key; empty: nothing yet
        bool ended = false;
        std::deque<Item> items = {};
    };
    Result<void> fill(Source& source);

    const storage::Snapshot& snapshot_;
    std::vector<Source> sources_;
};

}  // namespace cdp
