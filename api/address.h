#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

struct sockaddr_storage;

// Addresses of the network, as limits see them.
namespace api {

// IPv4 as ::ffff:a.b.c.d, so that both kinds are one.
struct Address {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Address&, const Address&) = default;

    bool is_v4() const;
    bool is_loopback() const;
};

// Of a peer; all zeros when it has none, as at a Unix socket.
Address address_of(const sockaddr_storage& peer);

// 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:443: as proxies write them.
std::optional<Address> read_address(std::string_view text);

// Whoever has an IPv6 address has the other 2^64 of its network as well, and may come from any of
// them: the network stands for all.
Address subscriber_of(const Address& address);

// Networks in CIDR notation.
class Networks {
public:
    Networks();
    ~Networks();
    Networks(const Networks&);
    Networks& operator=(const Networks&);
    // 10.0.0.0/8, 2001:db8::/32, 192.0.2.1. False: malformed, or bits behind the prefix are set.
    bool add(std::string_view text);
    bool contains(const Address& address) const;

private:
    struct Network {
        Address start;
        unsigned bits = 0;
    };
    std::vector<Network> networks_;
};

}  // namespace api
