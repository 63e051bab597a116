#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "cdp/base/random.h"
#include "consent/gpp.h"
#include "consent/tcf.h"
#include "tests/bench/commands.h"

namespace bench {

namespace {

std::string bits_of(std::uint64_t value, unsigned n) {
    std::string bits;
    for (; n > 0; --n) bits += ((value >> (n - 1)) & 1) != 0 ? '1' : '0';
    return bits;
}

std::string base64_of(std::string bits) {
    constexpr std::string_view kLetters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bits.resize((bits.size() + 5) / 6 * 6, '0');
    std::string text;
    for (std::size_t i = 0; i < bits.size(); i += 6)
        text += kLetters[std::stoul(bits.substr(i, 6), nullptr, 2)];
    return text;
}

std::string bitfield(cdp::Random& random, unsigned vendors) {
    auto bits = bits_of(vendors, 16) + "0";
    for (unsigned i = 0; i < vendors; ++i) bits += random.one_in(3) ? '0' : '1';
    return bits;
}

std::string ranges(unsigned vendors, unsigned count) {
    auto bits = bits_of(vendors, 16) + "1" + bits_of(count, 12);
    for (unsigned i = 0; i < count; ++i)
        bits +=
            "1" + bits_of(1 + i * (vendors / count), 16) + bits_of(3 + i * (vendors / count), 16);
    return bits;
}

// As a consent platform writes it today: consent and legitimate interest of `vendors`, a
// restriction, the vendors disclosed, the publisher's own purposes.
std::string tc_string(const std::string& consents, const std::string& interests,
                      const std::string& disclosed) {
    const auto day = bits_of(17'489'088'000, 36);
    return base64_of(bits_of(2, 6) + day + day + bits_of(300, 12) + bits_of(1, 18) + bits_of(4, 6) +
                     bits_of(13, 6) + bits_of(120, 12) + bits_of(5, 6) + "10" + bits_of(0x800, 12) +
                     bits_of(0xfff000, 24) + bits_of(0x43e000, 24) + "0" + bits_of(3, 6) +
                     bits_of(4, 6) + consents + interests + bits_of(1, 12) + bits_of(7, 6) + "01" +
                     bits_of(1, 12) + "0" + bits_of(755, 16)) +
           "." + base64_of("001" + disclosed) + "." + base64_of("011" + bits_of(0, 54));
}

// Decodes the strings in turn and asks each about one thing.
template <std::size_t n, typename Decode>
bool measure(const char* name, const std::array<std::string, n>& strings, Decode decode) {
    constexpr int kRounds = 1'000'000;
    std::size_t sound = 0;
    std::size_t bytes = 0;
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kRounds; ++i) {
        const auto& text = strings[static_cast<std::size_t>(i) % n];
        sound += decode(std::string_view(text));
        bytes += text.size();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    std::printf("{\"row\":\"%s\",\"strings\":%d,\"bytes_a_string\":%.1f,\"per_second\":%.1f}\n",
                name, kRounds, static_cast<double>(bytes) / kRounds, kRounds / took.count());
    return sound == kRounds;
}

}  // namespace

bool run_tcf() {
    cdp::Random random{1};
    const std::array strings = {
        // The specification's example, with four vendors.
        std::string(
            "CQSbk4AQSbk4ANwAAAENAwCgAAAAAAAAAAYgACPAAAAA.IDKQA4AAgAKAGQAygAAA.YAAAAAAAAAAA"),
        tc_string(bitfield(random, 1000), bitfield(random, 600), bitfield(random, 1000)),
        tc_string(ranges(1200, 20), ranges(900, 10), bitfield(random, 1200)),
        tc_string(bitfield(random, 300), ranges(300, 4), ranges(300, 12)),
    };
    return measure("tcf_parse", strings, [](std::string_view text) {
        const auto tcf = consent::decode_tcf(text);
        return tcf && tcf->has_vendor_consent(4) == tcf->vendor_consents.has(4);
    });
}

bool run_gpp() {
    const std::array strings = {
        std::string("DBABLA~CVVVkkkkkpFY.YA"),
        std::string("DBABTA~1YNN"),
        std::string("DBACNYA~CPSG_8APSG_8ANwAAAENAwCAAAAAAAAAAAAAAAAAAAAA.QAAA.IAAA~1YNN"),
        // usnat and usca together.
        base64_of("000011000001" + bits_of(1, 12) + "1" + "01011" + "11") +
            "~CVVVkkkkkpFY.YA~BVWSSSVY.YA",
    };
    return measure("gpp_parse", strings, [](std::string_view text) {
        const auto gpp = consent::decode_gpp(text);
        if (!gpp) return false;
        for (const auto& section : gpp->sections())
            if (section.fault != consent::SignalFault::none) return false;
        return true;
    });
}

}  // namespace bench
