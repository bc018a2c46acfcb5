#include "wire/bundle_secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_folder.h"
#include "wire/bundle.h"

namespace granary::wire {
namespace {

using base::Code;
using base::testing::TemporaryFolder;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kKey =
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
constexpr std::string_view kCertificate =
    "-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n";

class SecretsTest : public ::testing::Test {
 protected:
  base::Result<Packed> pack_it(std::vector<std::string> include = {}) {
    PackOptions options;
    options.include = std::move(include);
    return pack(app_.path(), out_ / "bundle", options);
  }
  // Whether a folder with this one file is packed.
  void expect_taken(const std::string& path, std::string_view content = "x") {
    TemporaryFolder app;
    app.write(path, content);
    const auto packed = pack(app.path(), out_ / "bundle", {});
    EXPECT_TRUE(packed.has_value()) << path << ": " << base::describe(packed.error());
  }
  void expect_refused(const std::string& path, std::string_view content = "x") {
    TemporaryFolder app;
    app.write(path, content);
    const auto packed = pack(app.path(), out_ / "bundle", {});
    ASSERT_FALSE(packed.has_value()) << path;
    EXPECT_EQ(packed.error().code, Code::Refused);
    EXPECT_THAT(packed.error().message, HasSubstr("'" + path + "'"));
    EXPECT_THAT(packed.error().advice, HasSubstr("--include " + path));
    EXPECT_THAT(packed.error().advice, HasSubstr(".granaryignore"));
    EXPECT_THAT(packed.error().advice, HasSubstr("granary secret set"));
  }

  TemporaryFolder app_;
  TemporaryFolder out_;
};

TEST_F(SecretsTest, FilesThatHoldSecretsByTheirNameAreRefused) {
  for (const char* path :
       {".env", "web/.env", ".env.production", ".env.local", "deploy/id_rsa", "id_ed25519",
        "cert.p12", "cert.pfx", "me.ppk", ".netrc", ".pypirc", ".pgpass", ".git-credentials",
        ".aws/credentials", "home/.aws/credentials", ".docker/config.json", ".kube/config"})
    expect_refused(path);
}

TEST_F(SecretsTest, NamesThatOnlyResembleThemAreTaken) {
  for (const char* path : {".env.example", ".env.sample", ".env.template", ".envrc.md", "env",
                           "id_rsa.pub", "aws/credentials", "config.json", "x.envx", "my.netrc"})
    expect_taken(path);
}

TEST_F(SecretsTest, APrivateKeyIsKnownByWhatItHoldsWhateverItsName) {
  expect_refused("server.pem", kKey);
  expect_refused("both.pem", std::string(kCertificate) + std::string(kKey));
  expect_refused("deploy-key", kKey);
  expect_refused("k", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
  expect_refused("k", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  expect_refused("config/master.key", "0123456789abcdef");
  expect_refused("account.json",
                 R"({"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\n"})");
}

TEST_F(SecretsTest, CertificatesPublicKeysAndCodeThatSpeaksOfKeysAreTaken) {
  expect_taken("cacert.pem", kCertificate);
  expect_taken("jwt.key", "-----BEGIN PUBLIC KEY-----\nMIIB\n");
  expect_taken("talk.key", std::string_view("PK\x03\x04slides"));
  expect_taken("test_keys.py", "KEY = '''\n" + std::string(kKey) + "'''\n");
  expect_taken("README.md", "Make a key:\n\n" + std::string(kKey));
  expect_taken("settings.json", R"({"private_key": "set by the platform"})");
}

TEST_F(SecretsTest, ATokenOfARegistryIsRefusedAndItsPlaceHolderIsNot) {
  expect_refused(".npmrc", "//registry.example/:_authToken=npm_0123\n");
  expect_refused(".yarnrc.yml", "npmAuthToken: abc\n");
  expect_taken(".npmrc", "//registry.example/:_authToken=${NPM_TOKEN}\nsave-exact=true\n");
  expect_taken(".npmrc", "# _authToken=none\nfund=false\n");
}

TEST_F(SecretsTest, WhatLiesAmongInstalledPackagesIsNotJudged) {
  expect_taken("node_modules/a/test/fixtures/server.key", kKey);
  expect_taken("web/node_modules/a/.env", "A=1");
  expect_taken("vendor/tornado/test/test.key", kKey);
  app_.write("lib/tornado/test/test.key", kKey);  // the walk meets it before the mark
  app_.write("lib/tornado-6.5.dist-info/METADATA", "Name: tornado");
  EXPECT_TRUE(pack_it().has_value());
  app_.write("other/test.key", kKey);
  EXPECT_EQ(pack_it().error().code, Code::Refused);
}

TEST_F(SecretsTest, AllOfThemAreNamedAtOnce) {
  app_.write(".env", "A=1");
  app_.write("sub/id_rsa", "x");
  const base::Error error = pack_it().error();
  EXPECT_THAT(error.message, HasSubstr("'.env' (an environment file), 'sub/id_rsa'"));
  for (int i = 0; i < 20; ++i) app_.write("keys/" + std::to_string(i) + ".pfx", "x");
  EXPECT_THAT(pack_it().error().message, HasSubstr("and 12 more"));
}

TEST_F(SecretsTest, WhatIsAskedForIsPackedAndNothingElse) {
  app_.write(".env", "A=1");
  app_.write("id_rsa", "x");
  EXPECT_THAT(pack_it({"./.env"}).error().message, Not(HasSubstr(".env")));
  EXPECT_EQ(pack_it({".env", "id_rsa"})->bundle.files, 2U);
  const base::Error error = pack_it({".env", "id_rsa", "id_dsa"}).error();
  EXPECT_EQ(error.code, Code::InvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("'id_dsa'"));
}

TEST_F(SecretsTest, TheIgnoreFileLeavesThemOutOrAsksForThem) {
  app_.write(".env", "A=1");
  app_.write(".granaryignore", ".env\n");
  EXPECT_EQ(pack_it()->bundle.files, 0U);
  app_.write(".granaryignore", "!.env\n");
  EXPECT_EQ(pack_it()->bundle.files, 1U);
}

}  // namespace
}  // namespace granary::wire
