#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cdp/base/ids.h"
#include "cdp/base/time.h"
#include "consent/fold.h"
#include "consent/suppression.h"

namespace consent {

// What the suppressions of a person refuse, whatever anybody granted. Pure.
//
// One of scope person spreads from a member that is not shared, and from whom an operator split off
// since; under a shared one it keeps what is filed there and the identifier itself. One of scope
// identifier keeps what is that identifier.
class Suppressed {
public:
    struct By {
        cdp::Token token = {};  // the member under which it was said
        Suppression said = {};
    };

    Suppressed(std::span<const Member> members, cdp::Timestamp now);

    // What refuses a datum that was collected under `home` and is `value`; nullptr: nothing does.
    const By* find(const cdp::Token& home, const std::optional<cdp::Token>& value) const;

    // The next moment at which one in force ends.
    std::optional<cdp::Timestamp> changes_at() const { return changes_at_; }

private:
    void add(const Member& member, const Suppression& said);

    std::optional<By> person_ = {};
    std::vector<By> filed_ = {};  // under shared members: scope person
    std::vector<By> named_ = {};  // scope identifier
    std::optional<cdp::Timestamp> changes_at_ = {};
};

}  // namespace consent
