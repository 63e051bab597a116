// Bytes that a store or a backup may hold after damage, read by every codec of values: nothing is
// read that says something else when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cdp/base/assert.h"
#include "cdp/disclosure_rows.h"
#include "cdp/erasure_facts.h"
#include "cdp/facts.h"
#include "cdp/group_rows.h"
#include "cdp/policy_bytes.h"
#include "cdp/privacy_request_bytes.h"
#include "cdp/suppression_rows.h"
#include "cdp/told_erasures.h"
#include "cdp/tombstones.h"
#include "consent/disclosure.h"
#include "consent/entry.h"
#include "consent/record.h"
#include "consent/withdrawal.h"
#include "identity/assertion_rows.h"
#include "identity/change.h"
#include "identity/links.h"
#include "identity/node.h"
#include "storage/backup_manifest.h"

namespace {

void round_trip(std::string_view bytes, const auto& decode, const auto& encode) {
    const auto once = decode(bytes);
    if (!once) return;
    const auto written = encode(*once);
    const auto again = decode(written);
    CDP_ASSERT(again);
    CDP_ASSERT(encode(*again) == written);
}

#define CDP_ROUND_TRIP(decode_it, encode_it)                            \
    round_trip(                                                         \
        bytes, [](std::string_view given) { return decode_it(given); }, \
        [](const auto& value) { return encode_it(value); })

void read_as(std::uint8_t which, std::string_view bytes) {
    switch (which % 22) {
        case 0: return CDP_ROUND_TRIP(identity::decode_node, encode);
        case 1: return CDP_ROUND_TRIP(identity::decode_node_value, encode);
        case 2: return CDP_ROUND_TRIP(identity::decode_change, encode);
        case 3: return CDP_ROUND_TRIP(identity::decode_assertion, encode);
        case 4: return CDP_ROUND_TRIP(identity::decode_since, identity::encode_since);
        case 5: return CDP_ROUND_TRIP(consent::decode_mask, encode);
        case 6: return CDP_ROUND_TRIP(consent::decode_disclosure, encode);
        case 7: return CDP_ROUND_TRIP(consent::decode_batch, encode);
        case 8: return CDP_ROUND_TRIP(consent::decode_entry, encode);
        case 9: return CDP_ROUND_TRIP(cdp::decode_event, encode);
        case 10: return CDP_ROUND_TRIP(cdp::decode_trait, encode);
        case 11: return CDP_ROUND_TRIP(cdp::decode_seen, encode);
        case 12: return CDP_ROUND_TRIP(cdp::decode_tombstone, encode);
        case 13: return CDP_ROUND_TRIP(cdp::decode_days, encode);
        case 14: return CDP_ROUND_TRIP(cdp::decode_privacy_row, encode);
        case 15: return CDP_ROUND_TRIP(cdp::decode_privacy_step, encode);
        case 16: return CDP_ROUND_TRIP(cdp::decode_privacy_subject, encode);
        case 17: return CDP_ROUND_TRIP(cdp::decode_told, encode);
        case 18: return CDP_ROUND_TRIP(cdp::decode_listed_suppression, encode);
        case 19: return CDP_ROUND_TRIP(cdp::decode_batch_value, cdp::encode_batch_value);
        case 20: return CDP_ROUND_TRIP(cdp::decode_policy, cdp::encode);
        default: return CDP_ROUND_TRIP(storage::decode_manifest, encode);
    }
}

}  // namespace

// The first byte says as what the others are read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    read_as(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
    return 0;
}
