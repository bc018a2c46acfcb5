#include "app/config.h"

#include <gtest/gtest.h>

#include "registry/limits.h"
#include "wire/activity_board.h"

namespace granary::app {
namespace {

TEST(ConfigTest, EndpointsAreReadAndPrinted) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:8080"), (Endpoint{"127.0.0.1", 8080}));
  EXPECT_EQ(parse_endpoint("8080"), (Endpoint{"127.0.0.1", 8080}));
  EXPECT_EQ(parse_endpoint("[::1]:80"), (Endpoint{"::1", 80}));
  EXPECT_EQ(to_string(Endpoint{"::1", 80}), "[::1]:80");
  for (const char* bad : {"", "host:", "1.2.3.4:99999", ":80", "a:b"})
    EXPECT_FALSE(parse_endpoint(bad).has_value()) << bad;
}

TEST(ConfigTest, ATenantsAddressHasThePortUnlessItIsTheDefault) {
  Config config;
  EXPECT_EQ(public_host(config), "localhost:8080");
  config.gateway.port = 80;
  EXPECT_EQ(public_host(config), "localhost");
}

TEST(ConfigTest, ARoleIsToldWhichPrivateNetworksMayBeReached) {
  Config config;
  config.egress_allow = {"10.1.0.0/16", "fd00::/8"};
  const auto arguments = role_arguments(config);
  ASSERT_GE(arguments.size(), 4U);
  EXPECT_EQ(
      (std::vector<std::string>(arguments.end() - 4, arguments.end())),
      (std::vector<std::string>{"--egress-allow", "10.1.0.0/16", "--egress-allow", "fd00::/8"}));
}

TEST(ConfigTest, TheRegistryAndTheBoardAgreeOnTheNumberOfSlots) {
  EXPECT_EQ(registry::kBoardSlots, wire::ActivityBoard::kSlots);
}

}  // namespace
}  // namespace granary::app
