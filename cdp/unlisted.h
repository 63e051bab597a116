#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "consent/released_body.h"

namespace cdp {

// An answer to a channel that was composed and not listed yet: it may be kept and given again, but
// only Disclosures gets its body out.
class Unlisted {
public:
    explicit Unlisted(consent::Composed composed);

    // What keeping it takes.
    std::size_t bytes() const { return body_->size() + told_.size(); }

private:
    friend class Disclosures;
    friend class DisclosureRecords;

    std::shared_ptr<const std::string> body_;
    std::string told_;  // the disclosure, encoded

    // Where it was told in full the last time, so that telling it again takes a few bytes. Touched
    // by DisclosureRecords alone.
    struct Place {
        std::uint64_t segment = 0;  // 0: never
        std::uint32_t number = 0;
        std::string reader = {};
    };
    mutable Place place_ = {};
};

}  // namespace cdp
