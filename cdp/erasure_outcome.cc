#include "cdp/erasure_outcome.h"

#include <algorithm>
#include <string>

#include "cdp/base/bytes.h"

namespace cdp {

std::optional<Erasure> decode_outcome(std::string_view bytes) {
    ByteReader in(bytes);
    in.u8();  // the format, as all the rest, is that which is written again
    Erasure out{.id = in.id<PrivacyRequestId>()};
    out.state = Erasure::State::completed;
    out.scope = static_cast<ErasureScope>(in.u8());
    out.requested = timestamp_of(in.i64());
    out.completed = timestamp_of(in.i64());
    auto& counts = out.counts;
    for (auto* one : {&counts.identifiers, &counts.events, &counts.traits, &counts.consents,
                      &counts.links, &counts.groups, &counts.disclosures, &counts.signals})
        *one = in.u64();
    out.entries = in.u64();
    const auto root = in.raw(out.root.size());
    std::ranges::copy(root, out.root.begin());
    for (auto n = in.u16(); n > 0 && in.ok(); --n) {
        const std::string channel(in.bytes());
        auto& one = out.recipients[channel];
        one.recipient = in.bytes();
        one.times = in.u64();
        one.last = timestamp_of(in.i64());
    }
    if (!in.done() || encode_outcome(out) != bytes) return std::nullopt;
    return out;
}

}  // namespace cdp
