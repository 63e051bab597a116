// A GPP string from a stranger: refused whole, or each of its sections is decoded or has a fault,
// and a fault leads to a denial.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cdp/base/assert.h"
#include "consent/signal_effect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    consent::Gpp gpp;
    const auto fault = consent::read_gpp(text, gpp);
    CDP_ASSERT(bool(consent::decode_gpp(text)) == (fault == consent::SignalFault::none));
    if (fault != consent::SignalFault::none) return 0;

    std::size_t sound = 0;
    std::uint16_t last = 0;
    for (const auto& section : gpp.sections()) {
        CDP_ASSERT(section.id > last);
        last = section.id;
        sound += section.fault == consent::SignalFault::none;
    }
    CDP_ASSERT(sound == gpp.us().size() + gpp.tcf_eu.has_value() + gpp.tcf_canada.has_value() +
                            gpp.usp.has_value());
    for (const auto& section : gpp.us())
        for (const auto answer : section.answers) CDP_ASSERT(answer <= 2);

    bool denies = false;
    consent::effects_of(gpp,
                        {.now = cdp::timestamp_of(1'795'285'489'000), .rules = {}, .vendor = {}})
        .each([&](const consent::SignalEffect& effect) {
            denies = denies || effect.state == consent::SignalState::denied;
        });
    CDP_ASSERT(denies || sound == gpp.sections().size());
    return 0;
}
