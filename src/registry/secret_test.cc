#include "registry/secret.h"

#include "registry/archive_row.h"
#include "registry/limits.h"
#include "registry/testing/registry_fixture.h"

namespace granary::registry {
namespace {

using base::AccountId;
using base::Code;
using base::Result;

const AccountId kAcme("acme");
const AccountId kAll;

class SecretTest : public testing::RegistryFixture {
 protected:
  void SetUp() override { ASSERT_TRUE(add("acme")); }
  Result<void> put(const AccountId& account, const std::string& name, const std::string& sealed) {
    return change([&](store::Transaction& tx) {
      return put_secret(tx, {account, name, sealed, "token/a", world_.clock.wall()});
    });
  }
  std::map<std::string, std::string> of(const AccountId& account) {
    std::map<std::string, std::string> found;
    const auto secrets =
        in_tx<std::vector<Secret>>([&](store::Transaction& tx) { return secrets_of(tx, account); });
    for (const Secret& secret : *secrets) found[secret.name] = secret.sealed;
    return found;
  }
};

TEST_F(SecretTest, AnAccountsOwnGoesBeforeEverybodys) {
  ASSERT_TRUE(put(kAll, "KEY", "all"));
  ASSERT_TRUE(put(kAll, "OTHER", "other"));
  ASSERT_TRUE(put(kAcme, "KEY", "own"));
  const std::map<std::string, std::string> expected = {{"KEY", "own"}, {"OTHER", "other"}};
  EXPECT_EQ(of(kAcme), expected);
  ASSERT_TRUE(change([](store::Transaction& tx) { return remove_secret(tx, kAcme, "KEY"); }));
  EXPECT_EQ(of(kAcme).at("KEY"), "all");
}

TEST_F(SecretTest, SecretsGoWithTheirAccountAndANewOneOfThatNameHasNone) {
  ASSERT_TRUE(put(kAcme, "KEY", "own"));
  ASSERT_TRUE(change([](store::Transaction& tx) { return remove(tx, kAcme); }));
  ASSERT_TRUE(add("acme"));
  EXPECT_TRUE(of(kAcme).empty());
}

TEST_F(SecretTest, UnknownAccountsAndTooManyAreRefused) {
  EXPECT_EQ(put(AccountId("nobody"), "KEY", "x").error().code, Code::NotFound);
  for (std::int64_t i = 0; i < kMaxSecrets; ++i)
    ASSERT_TRUE(put(kAcme, fmt::format("KEY_{}", i), "x"));
  EXPECT_EQ(put(kAcme, "ONE_MORE", "x").error().code, Code::Exhausted);
  EXPECT_TRUE(put(kAcme, "KEY_0", "changed").has_value());
}

TEST_F(SecretTest, AllOfThemComeInPagesByNameAndAccount) {
  for (const AccountId& account : {kAll, kAcme}) {
    for (const char* name : {"A", "A_B", "B"}) ASSERT_TRUE(put(account, name, "x"));
  }
  std::vector<std::string> found;
  SecretPage page{.after = {}, .limit = 2};
  for (bool more = true; more;) {
    const auto secrets =
        in_tx<std::vector<Secret>>([&](store::Transaction& tx) { return list_secrets(tx, page); });
    for (const Secret& secret : *secrets) {
      found.push_back(secret.name + "/" + secret.account.value);
      page.after = {secret.account, secret.name};
    }
    more = secrets->size() == page.limit;
  }
  const std::vector<std::string> expected = {"A/", "A/acme", "A_B/", "A_B/acme", "B/", "B/acme"};
  EXPECT_EQ(found, expected);
}

TEST(SecretNameTest, NamesAreThoseOfEnvironmentVariables) {
  EXPECT_EQ(parse_secret_name("STRIPE_KEY2"), "STRIPE_KEY2");
  for (const char* name : {"", "stripe", "2KEY", "_KEY", "A-B", "A/B", ".."})
    EXPECT_EQ(parse_secret_name(name).error().code, Code::InvalidArgument) << name;
  EXPECT_FALSE(parse_secret_name(std::string(65, 'A')).has_value());
}

class ArchiveTest : public testing::RegistryFixture {};

TEST_F(ArchiveTest, ArchivesAreFoundByAccountAndByTheirEnd) {
  const auto now = world_.clock.wall();
  const Archive archive{.id = "01A",
                        .account = kAcme,
                        .kind = ArchiveKind::Final,
                        .bytes = 5,
                        .sha256 = "ab",
                        .created = now,
                        .expires = now + std::chrono::hours(1)};
  ASSERT_TRUE(change([&](store::Transaction& tx) { return put_archive(tx, archive); }));
  const auto expired = [&](std::chrono::minutes later) {
    return in_tx<std::vector<Archive>>(
               [&](store::Transaction& tx) { return expired_archives(tx, now + later, 10); })
        ->size();
  };
  EXPECT_EQ(expired(std::chrono::minutes(59)), 0U);
  EXPECT_EQ(expired(std::chrono::minutes(60)), 1U);
  const auto of_acme =
      in_tx<std::vector<Archive>>([](store::Transaction& tx) { return archives_of(tx, kAcme); });
  EXPECT_EQ(*of_acme, std::vector<Archive>{archive});
}

TEST_F(ArchiveTest, ArchivesOfAllComeInPages) {
  for (const char* id : {"01A", "01B", "01C"}) {
    Archive archive;
    archive.id = id;
    archive.account = AccountId(std::string(id) == "01B" ? "globex" : "acme");
    ASSERT_TRUE(change([&](store::Transaction& tx) { return put_archive(tx, archive); }));
  }
  const auto ids = [&](const ArchiveFilter& filter) {
    std::string list;
    const auto found = in_tx<std::vector<Archive>>(
        [&](store::Transaction& tx) { return list_archives(tx, filter); });
    for (const Archive& archive : *found) list += archive.id + " ";
    return list;
  };
  EXPECT_EQ(ids({.account = {}, .after = "", .limit = 2}), "01A 01B ");
  EXPECT_EQ(ids({.account = {}, .after = "01B", .limit = 2}), "01C ");
  EXPECT_EQ(ids({.account = kAcme, .after = "", .limit = 2}), "01A 01C ");
}

TEST_F(ArchiveTest, ACertificateOfAnOperationIsWrittenOnce) {
  const auto put = [&](const char* what) {
    base::json::object envelope;
    envelope["payload"] = what;
    return change([&](store::Transaction& tx) {
      return put_certificate(tx, {"01A", kAcme, envelope, world_.clock.wall()});
    });
  };
  ASSERT_TRUE(put("first"));
  ASSERT_TRUE(put("second"));
  const auto found = in_tx<std::vector<Certificate>>(
      [](store::Transaction& tx) { return list_certificates(tx, kAcme, "", 10); });
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().envelope.at("payload").as_string(), "first");
}

}  // namespace
}  // namespace granary::registry
