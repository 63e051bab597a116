#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "cdp/access.h"
#include "cdp/config.h"
#include "consent/released_body.h"
#include "identity/change.h"
#include "storage/store.h"

namespace cdp {

struct ChangesQuery {
    // The version that was read last, `latest` for what is yet to come, or empty: from the start.
    std::string after = {};
    std::size_t limit = 50;  // 1 to 1000
};

// The feed of what became of persons, for whoever remembers their ids. Every change has a version:
// 1, 2, 3, … in the order of the commits that made them. Nothing is ever taken out or renumbered.
// Safe to use from many threads.
class Changes {
public:
    struct Needs {
        const storage::Store& store;
        const Config& config;
    };
    explicit Changes(Needs needs) : needs_(needs) {}

    // See Platform::changes. With the persons that are named.
    Result<consent::Composed> page(const Principal& reader, const ChangesQuery& query) const;

private:
    Needs needs_;
};

// One change as a JSON object, for those who run the platform. `cause`: why, too.
std::string change_json(std::uint64_t version, const identity::Change& change, bool cause);

}  // namespace cdp
