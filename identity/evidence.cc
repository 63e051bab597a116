#include "identity/evidence.h"

#include <algorithm>

namespace identity {
namespace {

std::uint64_t shifted(std::uint64_t days, std::int64_t by) {
    return by > 63 ? 0 : days << by;
}

}  // namespace

Evidence observation(LinkClass link_class, cdp::Timestamp time, std::uint32_t source) {
    const auto day = cdp::day_of(time);
    return {link_class, day, day, 1, {source}};
}

bool join(Evidence& into, const Evidence& more) {
    const Evidence before = into;
    into.link_class = std::min(into.link_class, more.link_class);
    into.first_day = std::min(into.first_day, more.first_day);
    into.last_day = std::max(before.last_day, more.last_day);
    into.days = shifted(before.days, std::int64_t{into.last_day} - before.last_day) |
                shifted(more.days, std::int64_t{into.last_day} - more.last_day);
    std::vector<std::uint32_t> sources;
    std::ranges::set_union(before.sources, more.sources, std::back_inserter(sources));
    into.sources = std::move(sources);
    return into != before;
}

}  // namespace identity
