#include "cdp/disclosure_records.h"

#include "cdp/disclosure_fold.h"

namespace cdp {

DisclosureRecords::Made DisclosureRecords::make(
    const std::vector<std::shared_ptr<Listing>>& listings, std::uint64_t segment) {
    if (std::exchange(defined_in_, segment) != segment) next_number_ = 0;
    Made out;
    for (const auto& listing : listings) {
        for (const auto& [answer, disclosure, to, at] : listing->told_) {
            auto* const place = answer ? &answer->place_ : nullptr;
            if (place && place->segment == segment && place->reader == to.name) {
                out.bytes.push_back(told_again_record(place->number, at));
                continue;
            }
            const auto number = next_number_ + static_cast<std::uint32_t>(out.places.size());
            const auto sealed = seal_told(key_, encode(to), answer ? answer->told_ : disclosure);
            out.bytes.push_back(told_record(number, at, sealed));
            out.places.push_back({place, {segment, number, to.name}});
        }
    }
    return out;
}

// What was told twice at once stands under two numbers: either will do.
void DisclosureRecords::keep(Made made) {
    next_number_ += static_cast<std::uint32_t>(made.places.size());
    for (auto& [place, told_in] : made.places)
        if (place) *place = std::move(told_in);
}

}  // namespace cdp
