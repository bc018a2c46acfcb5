// Which addresses an allowed name may stand for. Only what is global unicast, so that no name can
// be made to lead to the machine itself, to its networks, or to a cloud's metadata service; an
// operator may permit single networks. Pure values; any thread. Not for names: see
// wire/egress_policy.h.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace granary::egress {

using Address = boost::asio::ip::address;

enum class AddressKind {
  Global,
  Unspecified,
  Loopback,
  Private,    // RFC 1918, unique local (fc00::/7), site local
  LinkLocal,  // with the metadata services at 169.254.169.254
  Shared,     // 100.64.0.0/10, behind carrier-grade NAT
  Multicast,
  Broadcast,
  Documentation,
  Reserved,  // all else that is not assigned for global use
};
std::string_view to_string(AddressKind kind);

// An IPv4 address that is written as an IPv6 one (mapped) becomes itself.
Address unmapped(const Address& address);
// Addresses that carry another one (6to4, NAT64, mapped) are of the kind of that one.
AddressKind kind_of(const Address& address);

// A block of addresses.
class Network final {
 public:
  // "10.1.0.0/16", "fd00::/8", "192.0.2.7". Errors: InvalidArgument; also when bits are set behind
  // the prefix.
  static base::Result<Network> parse(std::string_view text);
  bool contains(const Address& address) const;
  std::string text() const;

 private:
  Network(Address first, unsigned bits) : first_(std::move(first)), bits_(bits) {}
  Address first_;
  unsigned bits_;
};

// What may never be connected to, not even where an operator permits its network: it is no host.
bool is_no_host(AddressKind kind);

}  // namespace granary::egress
