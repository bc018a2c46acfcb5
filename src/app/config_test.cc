#include "app/config.h"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(ConfigTest, MetricsAreServedSomewhereOrNowhereAndTheRolesAreToldSo) {
  EXPECT_EQ(parse_endpoint_or_off("off").value(), std::nullopt);
  EXPECT_EQ(parse_endpoint_or_off("[::1]:80").value(), (Endpoint{"::1", 80}));
  EXPECT_FALSE(parse_endpoint_or_off("on").has_value());
  Config config;
  const auto told = [&](const std::string& option) {
    const auto arguments = role_arguments(config);
    return *std::next(std::ranges::find(arguments, option));
  };
  EXPECT_EQ(told("--gateway-admin"), "127.0.0.1:8082");
  EXPECT_EQ(told("--egress-admin"), "127.0.0.1:8083");
  config.egress_admin = std::nullopt;
  EXPECT_EQ(told("--egress-admin"), "off");
}

TEST(ConfigTest, ADomainIsWhatHostsOfTenantsCanEndWith) {
  Config config;
  for (const char* good : {"localhost", "example.com", "a-b.c3.example", "xn--caf-dma.example"}) {
    config.domain = good;
    EXPECT_TRUE(check_domain(config).has_value()) << good;
  }
  for (const std::string& bad :
       {std::string("bad domain"), std::string(), std::string(".example"), std::string("a..b"),
        std::string("example."), std::string("-a.example"), std::string("Example.com"),
        std::string("a_b.example"), std::string("caf\xc3\xa9.example"),
        std::string(64, 'a') + ".example", std::string("http://example.com")}) {
    config.domain = bad;
    EXPECT_EQ(check_domain(config).error().code, base::Code::InvalidArgument) << bad;
  }
}

TEST(ConfigTest, TwoListenersAtOneAddressAreRefused) {
  Config config;
  EXPECT_TRUE(check_addresses(config).has_value());
  config.api = config.gateway;
  const auto refused = check_addresses(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, base::Code::InvalidArgument);
  EXPECT_NE(refused.error().message.find("--gateway 127.0.0.1:8080 and --api"), std::string::npos);
  config.api = {"0.0.0.0", 8082};  // the gateway's metrics are at 127.0.0.1:8082
  EXPECT_FALSE(check_addresses(config).has_value());
  config.api = {"127.0.0.1", 0};
  config.gateway = {"127.0.0.1", 0};
  EXPECT_TRUE(check_addresses(config).has_value());
  config.gateway.address = "localhost";
  EXPECT_EQ(check_addresses(config).error().code, base::Code::InvalidArgument);
}

TEST(ConfigTest, ATenantsAddressHasThePortUnlessItIsTheDefault) {
  Config config;
  EXPECT_EQ(public_host(config), "localhost:8080");
  config.gateway.port = 80;
  EXPECT_EQ(public_host(config), "localhost");
  EXPECT_EQ(public_scheme(config), "http");
  config.gateway_tls = Endpoint{"0.0.0.0", 8443};
  EXPECT_EQ(public_host(config), "localhost:8443");
  config.gateway_tls->port = 443;
  EXPECT_EQ(public_host(config), "localhost");
  EXPECT_EQ(public_scheme(config), "https");
}

TEST(ConfigTest, TlsAndCertificatesGoTogetherAndAreHandedToTheRoles) {
  Config config;
  EXPECT_TRUE(check_tls(config).has_value());
  config.certificates = "/etc/granary/certificates";
  EXPECT_FALSE(check_tls(config).has_value());
  config.gateway_tls = Endpoint{"0.0.0.0", 443};
  EXPECT_TRUE(check_tls(config).has_value());
  config.redirect_to_https = Redirect::Off;
  const auto arguments = role_arguments(config);
  ASSERT_GE(arguments.size(), 6U);
  EXPECT_EQ((std::vector<std::string>(arguments.end() - 6, arguments.end())),
            (std::vector<std::string>{"--gateway-tls", "0.0.0.0:443", "--certificates",
                                      "/etc/granary/certificates", "--redirect-to-https", "off"}));
  config.certificates = "certificates";
  EXPECT_NE(check_tls(config).error().message.find("absolute"), std::string::npos);
  config.certificates = "";
  EXPECT_FALSE(check_tls(config).has_value());
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
