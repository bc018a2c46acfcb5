#include "egress/address.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace granary::egress {
namespace {

using base::Code;
using base::Result;
using boost::asio::ip::address_v6;
using Kind = AddressKind;

struct Block4 {
  std::uint32_t first;
  unsigned bits;
  Kind kind;
};

constexpr std::uint32_t v4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return (a << 24) | (b << 16) | (c << 8) | d;
}

// IANA's special-purpose registry (RFC 6890 and its updates); the first that fits counts.
constexpr Block4 kBlocks4[] = {
    {v4(0, 0, 0, 0), 32, Kind::Unspecified},
    {v4(0, 0, 0, 0), 8, Kind::Reserved},
    {v4(10, 0, 0, 0), 8, Kind::Private},
    {v4(100, 64, 0, 0), 10, Kind::Shared},
    {v4(127, 0, 0, 0), 8, Kind::Loopback},
    {v4(169, 254, 0, 0), 16, Kind::LinkLocal},
    {v4(172, 16, 0, 0), 12, Kind::Private},
    {v4(192, 0, 0, 0), 24, Kind::Reserved},
    {v4(192, 0, 2, 0), 24, Kind::Documentation},
    {v4(192, 88, 99, 0), 24, Kind::Reserved},  // relays of 6to4
    {v4(192, 168, 0, 0), 16, Kind::Private},
    {v4(198, 18, 0, 0), 15, Kind::Reserved},  // benchmarks
    {v4(198, 51, 100, 0), 24, Kind::Documentation},
    {v4(203, 0, 113, 0), 24, Kind::Documentation},
    {v4(224, 0, 0, 0), 4, Kind::Multicast},
    {v4(255, 255, 255, 255), 32, Kind::Broadcast},
    {v4(240, 0, 0, 0), 4, Kind::Reserved},
};

struct Block6 {
  std::array<std::uint8_t, 6> first;  // no block is narrower than 48 bits
  unsigned bits;
  Kind kind;
};

// The same for IPv6. Beyond it only 2000::/3 is assigned for global use.
constexpr Block6 kBlocks6[] = {
    {{0xfc}, 7, Kind::Private},
    {{0xfe, 0x80}, 10, Kind::LinkLocal},
    {{0xfe, 0xc0}, 10, Kind::Private},
    {{0xff}, 8, Kind::Multicast},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, Kind::Private},  // NAT64 of one's own network
    {{0x20, 0x01, 0x0d, 0xb8}, 32, Kind::Documentation},
    {{0x3f, 0xff, 0x00}, 20, Kind::Documentation},
    {{0x20, 0x01, 0x00}, 23, Kind::Reserved},  // protocols, among them Teredo
};

constexpr std::uint8_t kNat64[12] = {0x00, 0x64, 0xff, 0x9b};
constexpr unsigned kNat64Bits = 96;

// Whether the first `bits` of both are equal. Both are long enough.
bool same_prefix(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin()))
    return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

Kind kind_of_v4(std::uint32_t address) {
  for (const Block4& block : kBlocks4) {
    if (((address ^ block.first) >> (32 - block.bits)) == 0) return block.kind;
  }
  return Kind::Global;
}

// The IPv4 address that a translator or a tunnel would reach behind this one.
std::optional<std::uint32_t> carried(const address_v6::bytes_type& bytes) {
  const auto at = [&](std::size_t i) {
    return v4(bytes[i], bytes[i + 1], bytes[i + 2], bytes[i + 3]);
  };
  if (same_prefix(bytes, kNat64, kNat64Bits)) return at(12);
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return at(2);  // 6to4
  return std::nullopt;
}

Kind kind_of_v6(const address_v6& address) {
  if (address.is_unspecified()) return Kind::Unspecified;
  if (address.is_loopback()) return Kind::Loopback;
  const auto bytes = address.to_bytes();
  if (const auto inner = carried(bytes)) return kind_of_v4(*inner);
  for (const Block6& block : kBlocks6) {
    if (same_prefix(bytes, block.first, block.bits)) return block.kind;
  }
  return (bytes[0] >> 5) == 1 ? Kind::Global : Kind::Reserved;
}

std::vector<std::uint8_t> bytes_of(const Address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = address.to_v6().to_bytes();
  return {bytes.begin(), bytes.end()};
}

bool clear_behind(const std::vector<std::uint8_t>& bytes, unsigned bits) {
  std::vector<std::uint8_t> kept = bytes;
  for (unsigned i = bits; i < kept.size() * 8; ++i)
    kept[i / 8] = static_cast<std::uint8_t>(kept[i / 8] & ~(0x80U >> (i % 8)));
  return kept == bytes;
}

base::Failure no_network(std::string_view text) {
  return base::fail_with_advice(
      Code::InvalidArgument, fmt::format("'{}' is not a network", text.substr(0, 60)),
      "Write its first address and the bits of its prefix, such as 10.1.0.0/16 or fd00:1::/32");
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::Global:
      return "global";
    case Kind::Unspecified:
      return "unspecified";
    case Kind::Loopback:
      return "loopback";
    case Kind::Private:
      return "private";
    case Kind::LinkLocal:
      return "link-local";
    case Kind::Shared:
      return "shared";
    case Kind::Multicast:
      return "multicast";
    case Kind::Broadcast:
      return "broadcast";
    case Kind::Documentation:
      return "documentation";
    case Kind::Reserved:
      return "reserved";
  }
  return {};
}

bool is_no_host(Kind kind) {
  return kind == Kind::Unspecified || kind == Kind::Multicast || kind == Kind::Broadcast;
}

Address unmapped(const Address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

Kind kind_of(const Address& address) {
  const Address plain = unmapped(address);
  if (plain.is_v4()) return kind_of_v4(plain.to_v4().to_uint());
  return kind_of_v6(plain.to_v6());
}

Result<Network> Network::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  boost::system::error_code error;
  const Address first = boost::asio::ip::make_address(text.substr(0, slash), error);
  if (error) return no_network(text);
  const unsigned most = first.is_v4() ? 32 : 128;
  unsigned bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const bool whole = parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size();
    if (digits.empty() || !whole || bits > most) return no_network(text);
  }
  if (!clear_behind(bytes_of(first), bits) || unmapped(first) != first) return no_network(text);
  return Network(first, bits);
}

bool Network::contains(const Address& address) const {
  const Address plain = unmapped(address);
  if (plain.is_v4() != first_.is_v4()) return false;
  return same_prefix(bytes_of(plain), bytes_of(first_), bits_);
}

std::string Network::text() const { return fmt::format("{}/{}", first_.to_string(), bits_); }

}  // namespace granary::egress
