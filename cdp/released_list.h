#pragma once

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "consent/released_body.h"

namespace cdp {

// Writes a comma before every element but the first.
class Separator {
public:
    void write(consent::ReleasedBody& body) {
        if (std::exchange(started_, true)) body.text(",");
    }

private:
    bool started_ = false;
};

// What a body withholds: each field and reason once, in the order met.
class WithheldList {
public:
    // `untold`: its name says too much.
    void add(consent::Withheld withheld, bool untold = false) {
        const auto reason = withheld.decision().reason;
        const bool said =
            untold || !seen_.emplace(withheld.section(), withheld.name(), reason).second;
        (said ? unsaid_ : list_).push_back(std::move(withheld));
    }
    // All are listed, for each is somebody's.
    void write(consent::ReleasedBody& body) const {
        Separator comma;
        body.text("[");
        for (const auto& withheld : list_) {
            comma.write(body);
            body.withheld(withheld);
        }
        body.text("]");
        for (const auto& withheld : unsaid_) body.unsaid(withheld);
    }

private:
    std::set<std::tuple<consent::Section, std::string, consent::Reason>> seen_;
    std::vector<consent::Withheld> list_;
    std::vector<consent::Withheld> unsaid_;  // or the same was, of another of the identifiers
};

}  // namespace cdp
