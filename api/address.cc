#include "api/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <string>

namespace api {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kBits = 128;
constexpr unsigned kMappedBits = 96;
constexpr std::size_t kSubscriberBytes = 8;

bool is_port(std::string_view text) {
    return !text.empty() && text.size() <= 5 &&
           std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<Address> read_v4(std::string_view text) {
    Address out;
    std::ranges::copy(kMapped, out.bytes.begin());
    if (::inet_pton(AF_INET, std::string(text).c_str(), out.bytes.data() + kMapped.size()) != 1)
        return std::nullopt;
    return out;
}

std::optional<Address> read_v6(std::string_view text) {
    Address out;
    if (::inet_pton(AF_INET6, std::string(text).c_str(), out.bytes.data()) != 1)
        return std::nullopt;
    return out;
}

bool bit_of(const Address& address, unsigned i) {
    return (address.bytes[i / 8] >> (7 - i % 8) & 1) != 0;
}

}  // namespace

bool Address::is_v4() const {
    return std::ranges::equal(kMapped, std::span(bytes).first(kMapped.size()));
}

bool Address::is_loopback() const {
    if (is_v4()) return bytes[12] == 127;
    constexpr Address kLoopback{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    return *this == kLoopback;
}

Address address_of(const sockaddr_storage& peer) {
    Address out;
    if (peer.ss_family == AF_INET6) {
        const auto& six = reinterpret_cast<const sockaddr_in6&>(peer);
        std::memcpy(out.bytes.data(), &six.sin6_addr, out.bytes.size());
    } else if (peer.ss_family == AF_INET) {
        const auto& four = reinterpret_cast<const sockaddr_in&>(peer);
        std::ranges::copy(kMapped, out.bytes.begin());
        std::memcpy(out.bytes.data() + kMapped.size(), &four.sin_addr, sizeof four.sin_addr);
    }
    return out;
}

std::optional<Address> read_address(std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == text.npos) return std::nullopt;
        const auto behind = text.substr(close + 1);
        if (!behind.empty() && (behind[0] != ':' || !is_port(behind.substr(1))))
            return std::nullopt;
        return read_v6(text.substr(1, close - 1));
    }
    const auto colon = text.find(':');
    if (colon == text.npos) return read_v4(text);
    if (text.find(':', colon + 1) != text.npos) return read_v6(text);
    return is_port(text.substr(colon + 1)) ? read_v4(text.substr(0, colon)) : std::nullopt;
}

Address subscriber_of(const Address& address) {
    if (address.is_v4()) return address;
    auto out = address;
    std::ranges::fill(std::span(out.bytes).subspan(kSubscriberBytes), std::uint8_t{0});
    return out;
}

// Here, for g++ 12 takes a default one for uninitialised where these are inlined.
Networks::Networks() = default;
Networks::~Networks() = default;
Networks::Networks(const Networks&) = default;
Networks& Networks::operator=(const Networks&) = default;

bool Networks::add(std::string_view text) {
    const auto slash = text.find('/');
    const auto host = text.substr(0, slash);
    const bool dotted = host.find(':') == host.npos;
    const auto start = dotted ? read_v4(host) : read_v6(host);
    if (!start) return false;
    const unsigned base = dotted ? kMappedBits : 0;
    unsigned bits = kBits - base;
    if (slash != text.npos) {
        const auto digits = text.substr(slash + 1);
        const auto* end = digits.data() + digits.size();
        const auto most = bits;
        const auto [stop, error] = std::from_chars(digits.data(), end, bits);
        if (error != std::errc() || stop != end || bits > most) return false;
    }
    const Network network{*start, base + bits};
    for (unsigned i = network.bits; i < kBits; ++i)
        if (bit_of(network.start, i)) return false;
    networks_.push_back(network);
    return true;
}

bool Networks::contains(const Address& address) const {
    return std::ranges::any_of(networks_, [&](const Network& network) {
        for (unsigned i = 0; i < network.bits; ++i)
            if (bit_of(network.start, i) != bit_of(address, i)) return false;
        return true;
    });
}

}  // namespace api
