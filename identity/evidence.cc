#include "identity/evidence.h"

#include <algorithm>

#include "cdp/base/bytes.h"

namespace identity {
namespace {

constexpr std::uint8_t kFormat = 1;

// Union of two sorted sets, cut to the `most` smallest: chosen by content, so order-free.
template <typename T>
void join_smallest(std::vector<T>& into, const std::vector<T>& more, std::size_t most) {
    std::vector<T> all;
    all.reserve(into.size() + more.size());
    std::ranges::set_union(into, more, std::back_inserter(all));
    if (all.size() > most) all.resize(most);
    into = std::move(all);
}

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
    join_smallest(into.sources, more.sources, kSourcesMax);
    return into != before;
}

std::string encode(const Evidence& evidence) {
    cdp::ByteWriter out;
    out.u8(kFormat)
        .u8(static_cast<std::uint8_t>(evidence.link_class))
        .u32(static_cast<std::uint32_t>(evidence.first_day))
        .u32(static_cast<std::uint32_t>(evidence.last_day))
        .u64(evidence.days)
        .u8(static_cast<std::uint8_t>(evidence.sources.size()));
    for (const auto source : evidence.sources) out.u32(source);
    return out.take();
}

std::optional<Evidence> decode_evidence(std::string_view bytes) {
    cdp::ByteReader in(bytes);
    if (in.u8() != kFormat) return std::nullopt;
    Evidence evidence;
    const auto link_class = in.u8();
    if (link_class > static_cast<std::uint8_t>(LinkClass::probabilistic)) return std::nullopt;
    evidence.link_class = static_cast<LinkClass>(link_class);
    evidence.first_day = static_cast<std::int32_t>(in.u32());
    evidence.last_day = static_cast<std::int32_t>(in.u32());
    evidence.days = in.u64();
    for (auto n = in.u8(); n > 0 && in.ok(); --n) evidence.sources.push_back(in.u32());
    if (!in.done()) return std::nullopt;
    return evidence;
}

}  // namespace identity
