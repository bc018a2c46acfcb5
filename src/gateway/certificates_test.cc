#include "gateway/certificates.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/temporary_folder.h"
#include "gateway/limits.h"
#include "gateway/testing/test_certificate.h"

namespace granary::gateway {
namespace {

using base::Code;
using base::WallTime;
using std::chrono::days;
using testing::CertificateOptions;
using testing::make_certificate;
using testing::TestCertificate;
using testing::write_certificate;

constexpr WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

base::Result<SharedCertificate> parse(const TestCertificate& made) {
  return Certificate::parse(made.chain, made.key, kNow);
}

TEST(CertificateTest, CoversTheNamesItWasIssuedForAndOneLabelOfAWildcard) {
  const auto parsed = parse(make_certificate({.names = {"Acme.Example", "*.Apps.example"}}));
  ASSERT_TRUE(parsed.has_value()) << base::describe(parsed.error());
  for (const char* host : {"acme.example", "a.apps.example", "_x.apps.example"})
    EXPECT_TRUE((*parsed)->covers(host)) << host;
  for (const char* host : {"", ".", "example", "www.acme.example", "apps.example", ".apps.example",
                           "a.b.apps.example", "a.apps.example.", "*", "apps", "xapps.example"})
    EXPECT_FALSE((*parsed)->covers(host)) << host;
  EXPECT_EQ((*parsed)->not_after(), std::chrono::sys_days(std::chrono::year(2027) / 1 / 1));
}

TEST(CertificateTest, WhatCannotServeIsRefusedWithWhatToDo) {
  const TestCertificate good = make_certificate({.names = {"a.example"}});
  const TestCertificate other = make_certificate({.names = {"a.example"}});
  const TestCertificate weak = make_certificate({.names = {"a.example"}, .short_rsa = true});
  const auto expired = make_certificate({.names = {"a.example"}, .until = kNow});
  const auto early = make_certificate({.names = {"a.example"}, .from = kNow + days(1)});
  const std::string sealed_key =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  const struct {
    TestCertificate pair;
    Code code;
    std::string_view says;
  } cases[] = {
      {{good.chain, other.key}, Code::InvalidArgument, "the key is not the certificate's"},
      {{good.key, good.key}, Code::InvalidArgument, "no certificate in the .crt"},
      {{"", good.key}, Code::InvalidArgument, "no certificate in the .crt"},
      {{good.chain, ""}, Code::InvalidArgument, "no private key in the .key"},
      {{good.chain, sealed_key}, Code::InvalidArgument, "no private key in the .key"},
      {{good.chain.substr(0, good.chain.size() / 2), good.key},
       Code::InvalidArgument,
       "no certificate in the .crt"},
      {weak, Code::InvalidArgument, "OpenSSL refuses the pair"},
      {expired, Code::Refused, "has expired at 2026-11-24T00:00:00"},
      {early, Code::Refused, "is not valid before 2026-11-25T00:00:00"},
  };
  for (const auto& wrong : cases) {
    const auto parsed = parse(wrong.pair);
    ASSERT_FALSE(parsed.has_value()) << wrong.says;
    EXPECT_EQ(parsed.error().code, wrong.code) << wrong.says;
    EXPECT_NE(parsed.error().message.find(wrong.says), std::string::npos) << parsed.error().message;
    EXPECT_FALSE(parsed.error().advice.empty()) << wrong.says;
  }
  EXPECT_TRUE(parse(good).has_value());
}

class CertificateFolderTest : public ::testing::Test {
 protected:
  void put(const std::string& name, const CertificateOptions& options) {
    write_certificate(folder_.path(), name, make_certificate(options));
  }
  SharedCertificates load(const SharedCertificates& before = nullptr, WallTime now = kNow) {
    auto loaded = load_certificates(folder_.path(), before, now);
    EXPECT_TRUE(loaded.has_value()) << base::describe(loaded.error());
    return loaded.value_or(nullptr);
  }
  void write(const std::string& file, std::string_view text) {
    ASSERT_TRUE(
        base::os::replace_file(path(file), text, 0600, base::os::Durability::Cached).has_value());
  }
  std::string path(const std::string& file) const { return folder_.path() + "/" + file; }

  base::testing::TemporaryFolder folder_;
};

TEST_F(CertificateFolderTest, OfSeveralForOneNameTheOneThatIsValidLongestServes) {
  put("a", {.names = {"x.example", "*.example"}, .until = kNow + days(10)});
  put("b", {.names = {"x.example", "*.example"}, .until = kNow + days(30)});
  put("c", {.names = {"x.example", "*.example"}, .until = kNow + days(20)});
  const auto set = load();
  ASSERT_NE(set->find("x.example"), nullptr);
  EXPECT_EQ(set->find("x.example")->not_after(), kNow + days(30));
  EXPECT_EQ(set->find("y.example")->not_after(), kNow + days(30));
  EXPECT_EQ(set->find("example"), nullptr);
  EXPECT_EQ(set->find(""), nullptr);
  EXPECT_EQ(set->find(".example"), nullptr);
  EXPECT_EQ(set->size(), 3U);
  EXPECT_EQ(set->earliest_end(), kNow + days(10));
}

TEST_F(CertificateFolderTest, WhatDidNotChangeIsTakenOver) {
  put("a", {.names = {"a.example"}});
  put("b", {.names = {"b.example"}});
  const auto first = load();
  EXPECT_EQ(load(first), first);
  put("b", {.names = {"c.example"}});
  const auto second = load(first);
  ASSERT_NE(second, first);
  EXPECT_EQ(second->find("a.example"), first->find("a.example"));
  EXPECT_EQ(second->find("b.example"), nullptr);
  EXPECT_NE(second->find("c.example"), nullptr);
  EXPECT_EQ(first->find("c.example"), nullptr);  // who began under it goes on
}

TEST_F(CertificateFolderTest, ABadPairKeepsTheOlderOneAndSaysWhy) {
  put("a", {.names = {"a.example"}});
  const auto first = load();
  write("a.key", "not a key");
  const auto second = load(first);
  EXPECT_EQ(second->find("a.example"), first->find("a.example"));
  EXPECT_NE(second->pairs().at("a").problem.find("no private key"), std::string::npos);
  EXPECT_EQ(second->problems(), 1U);
  EXPECT_EQ(load(second), second);  // and is not news again
  ASSERT_TRUE(base::os::remove_file(path("a.key")).has_value());
  const auto third = load(second);
  EXPECT_EQ(third->find("a.example"), first->find("a.example"));
  EXPECT_NE(third->pairs().at("a").problem.find("there is no"), std::string::npos);
  // Both files gone is a decision, not a mistake.
  ASSERT_TRUE(base::os::remove_file(path("a.crt")).has_value());
  EXPECT_EQ(load(third)->find("a.example"), nullptr);
}

TEST_F(CertificateFolderTest, OneThatIsNotValidYetServesFromItsDayOn) {
  put("a", {.names = {"a.example"}, .from = kNow + days(1)});
  const auto first = load();
  EXPECT_EQ(first->find("a.example"), nullptr);
  EXPECT_NE(load(first, kNow + days(1))->find("a.example"), nullptr);
}

// A gateway that starts on a machine whose clock is wrong, until that is set right.
TEST_F(CertificateFolderTest, OneThatAWrongClockTookForExpiredServesOnceTheClockIsRight) {
  put("a", {.names = {"a.example"}, .until = kNow + days(1)});
  const auto first = load(nullptr, kNow + days(300));
  EXPECT_EQ(first->find("a.example"), nullptr);
  const auto right = load(first, kNow);
  EXPECT_NE(right->find("a.example"), nullptr);
  EXPECT_EQ(right->pairs().at("a").problem, "");
}

TEST_F(CertificateFolderTest, OneInForceServesBeyondItsEndRatherThanNone) {
  put("a", {.names = {"a.example"}, .until = kNow + days(1)});
  const auto first = load();
  EXPECT_EQ(load(first, kNow + days(2)), first);
  EXPECT_EQ(load(nullptr, kNow + days(2))->find("a.example"), nullptr);
}

TEST_F(CertificateFolderTest, OnlyTheDefaultMayNameNobody) {
  put("nameless", {.names = {}});
  put("default", {.names = {}});
  const auto set = load();
  EXPECT_EQ(set->size(), 1U);
  EXPECT_NE(set->pairs().at("nameless").problem.find("subjectAltName"), std::string::npos);
  const Certificate* any = set->find("whoever.example");
  ASSERT_NE(any, nullptr);
  EXPECT_FALSE(any->covers("whoever.example"));
}

TEST_F(CertificateFolderTest, OtherFilesMeanNothingAndLongOnesAreRefused) {
  put("a", {.names = {"a.example"}});
  write("README", "hello");
  write(".crt", "nothing");
  write("long.crt", std::string(kCertificateFile + 1, 'x'));
  write("long.key", "x");
  const auto set = load();
  EXPECT_EQ(set->pairs().size(), 2U);
  EXPECT_EQ(set->size(), 1U);
  EXPECT_EQ(load_certificates(path("none"), nullptr, kNow).error().code, Code::NotFound);
}

TEST_F(CertificateFolderTest, FilesMayBeLinksToWhereAClientRenewsThem) {
  ASSERT_TRUE(base::os::make_folders(path("live"), 0700).has_value());
  write_certificate(path("live"), "acme", make_certificate({.names = {"acme.example"}}));
  for (const char* end : {".crt", ".key"})
    ASSERT_EQ(::symlink((path("live/acme") + end).c_str(), (path("acme") + end).c_str()), 0);
  const auto first = load();
  EXPECT_NE(first->find("acme.example"), nullptr);
  write_certificate(path("live"), "acme", make_certificate({.names = {"new.example"}}));
  EXPECT_NE(load(first)->find("new.example"), nullptr);
}

}  // namespace
}  // namespace granary::gateway
