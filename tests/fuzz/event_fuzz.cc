#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cdp/event.h"

// The first byte chooses the path; the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    static const auto types = identity::IdentifierTypes::defaults();
    const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto choice = static_cast<std::uint8_t>(data[0] % 8);
    const auto implied = choice >= 1 && choice <= 6
                             ? std::optional(static_cast<cdp::EventType>(choice))
                             : std::nullopt;
    for (const auto trust : {cdp::Trust::client, cdp::Trust::server}) {
        const cdp::ParseContext context{.received = cdp::timestamp_of(1'795'285'489'000),
                                        .trust = trust,
                                        .import = choice == 7,
                                        .region = "FR",
                                        .types = &types,
                                        .new_message_id = [] { return std::string("made"); }};
        const auto batch = cdp::parse_body(body, implied, context);
        if (!batch) continue;
        for (const auto& event : batch->events)
            if (event && event->identifiers.empty()) __builtin_trap();
    }
    (void)cdp::write_key_of(body);
    return 0;
}
