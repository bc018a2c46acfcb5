// The hosts that a manifest permits: how they are written, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "release/manifest.h"

namespace granary::release {
namespace {

using base::Code;
using ::testing::HasSubstr;
using ::testing::StartsWith;

base::Error refusal(std::string_view yaml) {
  auto parsed = parse_manifest(yaml, "granary.yaml");
  EXPECT_FALSE(parsed.has_value()) << yaml;
  return parsed ? base::Error{} : parsed.error();
}

std::string with_egress(std::string_view list) {
  return fmt::format(
      "app: a\nservices: {{x: {{command: [x], routes: [/], listen: 3128}}, y: {{command: [y], "
      "routes: [/y]}}}}\n"
      "egress: {}\n",
      list);
}

TEST(ManifestEgressTest, HostsThatMayBeReachedAreReadSortedAndInLowerCase) {
  const auto parsed = parse_manifest(
      "app: a\nservices: {x: {command: [x], routes: [/]}}\negress: [S3.Example.com:443, "
      "api.example.com.:8443]",
      "f");
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  EXPECT_EQ(parsed->egress,
            (std::vector<std::string>{"api.example.com:8443", "s3.example.com:443"}));
  EXPECT_EQ(*manifest_from_json(to_json(*parsed)), *parsed);
  EXPECT_TRUE(services_to_json(*parsed)[0].as_object().at("egress").as_bool());
  EXPECT_TRUE(parse_manifest(with_egress("[]"), "f")->egress.empty());
}

struct BadTarget {
  const char* text;
  const char* expected;
};

class BadTargetTest : public ::testing::TestWithParam<BadTarget> {};

TEST_P(BadTargetTest, IsRefusedAtItsPlace) {
  const base::Error error = refusal(with_egress(fmt::format("[a.example:1, {}]", GetParam().text)));
  EXPECT_EQ(error.code, Code::InvalidArgument);
  EXPECT_THAT(error.message, StartsWith("granary.yaml:3:23: egress[1] "));
  EXPECT_THAT(error.message, HasSubstr(GetParam().expected));
  EXPECT_FALSE(error.advice.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Targets, BadTargetTest,
    ::testing::Values(
        BadTarget{"api.example.com", "has no port"}, BadTarget{"api.example.com:0", "has no port"},
        BadTarget{"api.example.com:65536", "has no port"},
        BadTarget{"api.example.com:https", "has no port"},
        BadTarget{"\"*.example.com:443\"", "has a wildcard"},
        BadTarget{"10.0.0.1:443", "names an address"},
        BadTarget{"2130706433:443", "names an address"},
        BadTarget{"\"[::1]:443\"", "names an address"}, BadTarget{"\":443\"", "names no host"},
        BadTarget{"https://api.example.com:443", "is a URL"},
        BadTarget{"api_x.example.com:443", "not a valid DNS name"},
        BadTarget{"api..example.com:443", "not a valid DNS name"},
        BadTarget{"[x]", "must be HOST:PORT"}, BadTarget{"https://a.example.com", "is a URL"},
        BadTarget{"\"//a.example\"", "is a URL"}, BadTarget{"10.0.0.1", "names an address"},
        BadTarget{"\"*.example.com\"", "has a wildcard"},
        BadTarget{"a.example:1", "is named twice"}, BadTarget{"A.Example.:1", "is named twice"}));

TEST(ManifestEgressTest, AUrlOrAHostWithoutItsPortIsToldAsTheTargetThatIsMeant) {
  struct Case {
    const char* written;
    const char* target;
  };
  for (const Case& one : {Case{"https://a.example.com", "a.example.com:443"},
                          Case{"http://a.example.com/path", "a.example.com:80"},
                          Case{"https://a.example.com:8443/?q=1", "a.example.com:8443"},
                          Case{"a.example.com", "a.example.com:443"},
                          Case{"a.example.com:443/path", "a.example.com:443"},
                          Case{"https://10.0.0.1", "api.example.com:443"}})
    EXPECT_EQ(refusal(with_egress(fmt::format("['{}']", one.written))).advice,
              fmt::format("Write HOST:PORT with the name of one host, such as {}", one.target))
        << one.written;
}

TEST(ManifestEgressTest, TheListOfHostsIsBoundedAndLeavesThePortOfTheProxyAlone) {
  std::string many = "[h0.example:1";
  for (int i = 1; i <= 100; ++i) many += fmt::format(", h{}.example:1", i);
  EXPECT_THAT(refusal(with_egress(many + "]")).message, HasSubstr("101 items, more than 100"));
  EXPECT_THAT(refusal(with_egress("a.example:1")).message, HasSubstr("must be a list"));
  EXPECT_THAT(refusal(with_egress("[a.example:1]")).message,
              HasSubstr("needs port 3128 inside the silo, which service x listens on"));
}

}  // namespace
}  // namespace granary::release
