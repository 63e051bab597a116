#pragma once

#include <string_view>

#include "consent/signal_fault.h"

namespace consent {

// IAB's US Privacy string, plain letters: `1YNN`. Each answer is Y, N or - for not applicable.
struct Usp {
    char notice = '-';
    char opt_out_sale = '-';
    char lspa_covered = '-';

    friend bool operator==(const Usp&, const Usp&) = default;
};

// `out` means something only if the fault is none.
constexpr SignalFault read_usp(std::string_view text, Usp& out) {
    if (text.empty()) return SignalFault::empty;
    if (text[0] < '0' || text[0] > '9') return SignalFault::bad_character;
    if (text[0] != '1') return SignalFault::version_unknown;
    if (text.size() < 4) return SignalFault::truncated;
    if (text.size() > 4) return SignalFault::too_long;
    for (const char c : text.substr(1))
        if (c != 'Y' && c != 'N' && c != '-') return SignalFault::bad_character;
    out = {text[1], text[2], text[3]};
    return SignalFault::none;
}

}  // namespace consent
