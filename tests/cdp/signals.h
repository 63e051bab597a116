#pragma once

#include <cstdint>
#include <string>

#include "cdp/base/time.h"

namespace tests {

// A TC string in the making, bit by bit.
struct TcString {
    std::string created = "2026-11-01T00:00:00Z";
    std::string purposes = std::string(24, '0');  // consents, purpose 1 first
    std::string interests = std::string(24, '0');
    std::string vendors = "111111111";  // that were consented to, vendor 1 first

    std::string text() const {
        const auto made = cdp::milliseconds_of(*cdp::parse_time(created)) / 86'400'000 * 864'000;
        const auto day = bits(static_cast<std::uint64_t>(made), 36);
        const auto consented = bits(vendors.size(), 16) + "0" + vendors;
        return base64(bits(2, 6) + day + day + bits(880, 12) + bits(0, 18) + bits(4, 6) +
                      bits(13, 6) + bits(48, 12) + bits(5, 6) + "10" + bits(0, 12) + purposes +
                      interests + "0" + bits(3, 6) + bits(4, 6) + consented + consented +
                      bits(0, 12)) +
               "." + base64("001" + bits(9, 16) + "0" + "111111111");
    }

    static TcString of(bool yes) {
        TcString string;
        if (yes) string.purposes = string.interests = std::string(24, '1');
        return string;
    }

private:
    static std::string bits(std::uint64_t value, unsigned n) {
        std::string out;
        for (; n > 0; --n) out += ((value >> (n - 1)) & 1) != 0 ? '1' : '0';
        return out;
    }
    static std::string base64(std::string bits) {
        constexpr std::string_view kLetters =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        bits.resize((bits.size() + 5) / 6 * 6, '0');
        std::string text;
        for (std::size_t i = 0; i < bits.size(); i += 6)
            text += kLetters[static_cast<std::size_t>(std::stoi(bits.substr(i, 6), nullptr, 2))];
        return text;
    }
};

}  // namespace tests
