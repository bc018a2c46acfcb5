#include "egress/address.h"

#include <gtest/gtest.h>

namespace granary::egress {
namespace {

using Kind = AddressKind;
using boost::asio::ip::make_address;

struct Known {
  const char* text;
  Kind kind;
};

class KnownAddressTest : public ::testing::TestWithParam<Known> {};

TEST_P(KnownAddressTest, IsOfItsKind) {
  EXPECT_EQ(to_string(kind_of(make_address(GetParam().text))), to_string(GetParam().kind))
      << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    V4, KnownAddressTest,
    ::testing::Values(Known{"93.184.216.34", Kind::Global}, Known{"1.1.1.1", Kind::Global},
                      Known{"0.0.0.0", Kind::Unspecified}, Known{"0.0.0.1", Kind::Reserved},
                      Known{"9.255.255.255", Kind::Global}, Known{"10.0.0.0", Kind::Private},
                      Known{"10.255.255.255", Kind::Private}, Known{"11.0.0.0", Kind::Global},
                      Known{"100.63.255.255", Kind::Global}, Known{"100.64.0.0", Kind::Shared},
                      Known{"100.127.255.255", Kind::Shared}, Known{"100.128.0.0", Kind::Global},
                      Known{"127.0.0.1", Kind::Loopback}, Known{"127.255.255.255", Kind::Loopback},
                      Known{"128.0.0.0", Kind::Global}, Known{"169.253.255.255", Kind::Global},
                      Known{"169.254.169.254", Kind::LinkLocal},
                      Known{"172.15.255.255", Kind::Global}, Known{"172.16.0.0", Kind::Private},
                      Known{"172.31.255.255", Kind::Private}, Known{"172.32.0.0", Kind::Global},
                      Known{"192.0.0.8", Kind::Reserved}, Known{"192.0.1.0", Kind::Global},
                      Known{"192.0.2.1", Kind::Documentation}, Known{"192.88.99.1", Kind::Reserved},
                      Known{"192.167.255.255", Kind::Global}, Known{"192.168.1.1", Kind::Private},
                      Known{"192.169.0.0", Kind::Global}, Known{"198.17.255.255", Kind::Global},
                      Known{"198.18.0.0", Kind::Reserved}, Known{"198.19.255.255", Kind::Reserved},
                      Known{"198.20.0.0", Kind::Global}, Known{"198.51.100.7", Kind::Documentation},
                      Known{"203.0.113.7", Kind::Documentation},
                      Known{"223.255.255.255", Kind::Global}, Known{"224.0.0.1", Kind::Multicast},
                      Known{"239.255.255.255", Kind::Multicast}, Known{"240.0.0.1", Kind::Reserved},
                      Known{"255.255.255.254", Kind::Reserved},
                      Known{"255.255.255.255", Kind::Broadcast}));

INSTANTIATE_TEST_SUITE_P(
    V6, KnownAddressTest,
    ::testing::Values(
        Known{"2606:2800:220:1::1", Kind::Global}, Known{"2a00:1450::1", Kind::Global},
        Known{"3fff:ffff::1", Kind::Global}, Known{"::", Kind::Unspecified},
        Known{"::1", Kind::Loopback}, Known{"::2", Kind::Reserved}, Known{"fc00::1", Kind::Private},
        Known{"fdff::1", Kind::Private},
        Known{"fd00:ec2::254", Kind::Private},  // a cloud's metadata
        Known{"fe80::1", Kind::LinkLocal}, Known{"febf::1", Kind::LinkLocal},
        Known{"fec0::1", Kind::Private}, Known{"ff02::1", Kind::Multicast},
        Known{"100::1", Kind::Reserved}, Known{"2001::1", Kind::Reserved},
        Known{"2001:1ff::1", Kind::Reserved}, Known{"2001:200::1", Kind::Global},
        Known{"2001:db8::1", Kind::Documentation}, Known{"3fff::1", Kind::Documentation},
        Known{"3fff:fff::1", Kind::Documentation}, Known{"3fff:1000::1", Kind::Global},
        Known{"4000::1", Kind::Reserved}, Known{"5f00::1", Kind::Reserved}));

INSTANTIATE_TEST_SUITE_P(
    CarryingAnother, KnownAddressTest,
    ::testing::Values(
        Known{"::ffff:1.1.1.1", Kind::Global}, Known{"::ffff:127.0.0.1", Kind::Loopback},
        Known{"::ffff:169.254.169.254", Kind::LinkLocal},
        Known{"::ffff:0.0.0.0", Kind::Unspecified}, Known{"::127.0.0.1", Kind::Reserved},
        Known{"::ffff:0:127.0.0.1", Kind::Reserved}, Known{"64:ff9b::1.1.1.1", Kind::Global},
        Known{"64:ff9b::10.0.0.1", Kind::Private},
        Known{"64:ff9b::169.254.169.254", Kind::LinkLocal}, Known{"64:ff9b:1::1", Kind::Private},
        Known{"64:ff9b:0:1::1", Kind::Reserved}, Known{"2002:0101:0101::1", Kind::Global},
        Known{"2002:7f00:0001::1", Kind::Loopback}, Known{"2002:c0a8:0101::1", Kind::Private}));

TEST(NetworkTest, ANetworkHoldsItsAddressesAndNoOthers) {
  const Network small = Network::parse("10.1.2.0/23").value();
  EXPECT_TRUE(small.contains(make_address("10.1.2.0")));
  EXPECT_TRUE(small.contains(make_address("10.1.3.255")));
  EXPECT_TRUE(small.contains(make_address("::ffff:10.1.3.1")));
  EXPECT_FALSE(small.contains(make_address("10.1.4.0")));
  EXPECT_FALSE(small.contains(make_address("10.1.1.255")));
  EXPECT_FALSE(small.contains(make_address("fd00::1")));
  EXPECT_TRUE(Network::parse("fd00:1::/33")->contains(make_address("fd00:1:7fff::1")));
  EXPECT_FALSE(Network::parse("fd00:1::/33")->contains(make_address("fd00:1:8000::1")));
  EXPECT_TRUE(Network::parse("127.0.0.1")->contains(make_address("127.0.0.1")));
  EXPECT_FALSE(Network::parse("127.0.0.1/32")->contains(make_address("127.0.0.2")));
  EXPECT_TRUE(Network::parse("0.0.0.0/0")->contains(make_address("9.9.9.9")));
  EXPECT_FALSE(Network::parse("::/0")->contains(make_address("9.9.9.9")));
  EXPECT_EQ(small.text(), "10.1.2.0/23");
}

TEST(NetworkTest, WhatIsNoNetworkIsRefused) {
  for (const char* bad :
       {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "::1/129",
        "fd00::1/8", "a.example/8", "10.0.0/8", "::ffff:10.0.0.0/104"})
    EXPECT_EQ(Network::parse(bad).error().code, base::Code::InvalidArgument) << bad;
}

TEST(AddressTest, WhatIsNoHostIsNeverConnectedTo) {
  for (const Kind kind : {Kind::Unspecified, Kind::Multicast, Kind::Broadcast})
    EXPECT_TRUE(is_no_host(kind));
  EXPECT_FALSE(is_no_host(Kind::Loopback));
}

}  // namespace
}  // namespace granary::egress
