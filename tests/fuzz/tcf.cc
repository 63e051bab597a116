// A TC string from a stranger: decoded whole or refused, the same both times; a vendor is in a set
// only up to its highest id; and nothing is granted that the string may not be acted on for.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cdp/base/assert.h"
#include "consent/signal_effect.h"

namespace {

void ask(const consent::VendorSet& vendors) {
    CDP_ASSERT(!vendors.has(0));
    if (vendors.max_id() < 0xffff)
        CDP_ASSERT(!vendors.has(static_cast<std::uint16_t>(vendors.max_id() + 1)));
    (void)vendors.has(vendors.max_id());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool canada = (data[0] & 1) == 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    consent::Tcf tcf;
    const auto fault = canada ? consent::read_tcf_canada(text, tcf) : consent::read_tcf(text, tcf);
    const auto again = canada ? consent::decode_tcf_canada(text) : consent::decode_tcf(text);
    CDP_ASSERT(bool(again) == (fault == consent::SignalFault::none));
    if (!again) return 0;

    ask(tcf.vendor_consents);
    ask(tcf.vendor_legitimate_interests);
    if (tcf.disclosed_vendors) ask(*tcf.disclosed_vendors);
    if (tcf.allowed_vendors) ask(*tcf.allowed_vendors);
    std::uint16_t restrictions = 0;
    tcf.restrictions.each([&](const consent::Restriction& restriction) {
        CDP_ASSERT(restriction.purpose >= 1 && restriction.purpose <= 24);
        ask(restriction.vendors);
        ++restrictions;
    });
    CDP_ASSERT(restrictions == tcf.restrictions.size());

    const consent::SignalContext context{
        .now = tcf.created, .rules = {}, .vendor = consent::TcfVendor{.id = 4}};
    const auto effects =
        canada ? consent::effects_of_canada(tcf, context) : consent::effects_of(tcf, context);
    if (canada || consent::check_tcf(tcf, context.now) == consent::SignalFault::none) return 0;
    effects.each([](const consent::SignalEffect& effect) {
        CDP_ASSERT(effect.state == consent::SignalState::denied);
    });
    return 0;
}
