#include "api/public_address.h"

#include <array>
#include <cstdint>

namespace api {
namespace {

namespace ip = boost::asio::ip;

struct Block {
    std::uint32_t start;
    unsigned bits;
};

// IANA's registry of special-purpose IPv4 addresses, with multicast and what is reserved.
constexpr std::array<Block, 16> kSpecial{{
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local; clouds tell secrets there
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 4},   // multicast
    {0xf0000000, 4},   // reserved, broadcast
    {0xc01fc400, 24},  // AS112
}};

bool is_public_v4(std::uint32_t address) {
    for (const auto& block : kSpecial)
        if ((address ^ block.start) >> (32 - block.bits) == 0) return false;
    return true;
}

// Of 2000::/3 what is neither documentation nor a way to carry IPv4 or to tunnel.
bool is_public_v6(const ip::address_v6::bytes_type& b) {
    if ((b[0] & 0xe0) != 0x20) return false;
    if (b[0] == 0x20 && b[1] == 0x02) return false;                 // 6to4
    if (b[0] == 0x20 && b[1] == 0x01 && b[2] < 0x02) return false;  // 2001::/23: Teredo
    if (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) return false;
    return !(b[0] == 0x3f && b[1] == 0xff && (b[2] & 0xf0) == 0);  // documentation
}

}  // namespace

bool is_public(const ip::address& address) {
    if (address.is_v4()) return is_public_v4(address.to_v4().to_uint());
    const auto six = address.to_v6();
    if (six.is_v4_mapped()) return is_public_v4(ip::make_address_v4(ip::v4_mapped, six).to_uint());
    return is_public_v6(six.to_bytes());
}

}  // namespace api
