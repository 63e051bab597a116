#pragma once

#include <boost/asio/ip/address.hpp>

namespace api {

// An address of the open network: no loopback, private, link-local, shared, multicast, reserved or
// documentation address, and none of IPv6 that carries such an address of IPv4.
bool is_public(const boost::asio::ip::address& address);

}  // namespace api
