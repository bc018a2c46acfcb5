#include <gtest/gtest.h>

#include "registry/account.h"
#include "registry/audit.h"
#include "registry/limits.h"
#include "registry/release_row.h"
#include "registry/testing/registry_fixture.h"
#include "registry/token.h"

namespace granary::registry {
namespace {

using base::AccountId;
using base::Code;
using base::Result;

class RegistryTest : public testing::RegistryFixture {};

TEST_F(RegistryTest, AnAccountComesBackAsItWasPutIn) {
  const auto added = add("acme", {"a.example.com", "b.example.com"});
  ASSERT_TRUE(added.has_value());
  EXPECT_EQ(get_account("acme"), added);
}

TEST_F(RegistryTest, AListFillsEachAccountWithItsOwnLabelsAndDomains) {
  ASSERT_TRUE(add("acme", {"acme.example.com"}));
  ASSERT_TRUE(add("globex"));
  ASSERT_TRUE(add("initech", {"initech.example.com"}));
  const auto page = in_tx<std::vector<Account>>([](store::Transaction& tx) {
    return list(tx, {.after = "acme", .limit = 10, .state = {}, .kind = {}});
  });
  ASSERT_EQ(page->size(), 2U);
  EXPECT_TRUE(page->at(0).domains.empty());
  EXPECT_EQ(page->at(1).domains, std::vector<std::string>{"initech.example.com"});
  EXPECT_EQ(page->at(1).labels.at("region"), "eu");
}

TEST_F(RegistryTest, ADomainOfAnotherTenantIsRefusedAndNothingIsLeftOfTheAttempt) {
  ASSERT_TRUE(add("acme", {"shop.example.com"}));
  EXPECT_EQ(add("globex", {"shop.example.com"}).error().code, Code::AlreadyExists);
  EXPECT_EQ(get_account("globex").error().code, Code::NotFound);
}

TEST_F(RegistryTest, HealthsOfEarlierVersionsAreReadAndWrittenInTheWordsOfThisOne) {
  for (const auto& [old, health] : {std::pair{"well", Health::Well},
                                    {"failing", Health::Failing},
                                    {"unknown", Health::Unknown}}) {
    EXPECT_EQ(health_from(old).value(), health) << old;
    EXPECT_EQ(health_from(to_string(health)).value(), health) << old;
  }
  EXPECT_EQ(to_string(Health::Well), "healthy");
  EXPECT_EQ(to_string(Health::Failing), "unhealthy");
  EXPECT_FALSE(health_from("ill").has_value());
}

TEST_F(RegistryTest, OrdinalsAreNeverUsedAgain) {
  const auto first = add("acme");
  ASSERT_TRUE(in_tx<bool>([](store::Transaction& tx) -> Result<bool> {
    TRY(remove(tx, AccountId("acme")));
    return true;
  }));
  EXPECT_GT(add("acme")->ordinal, first->ordinal);
}

TEST_F(RegistryTest, StatesChangeOnlyAlongTheirArrows) {
  ASSERT_TRUE(add("acme"));
  const auto to = [&](State state) {
    return in_tx<Account>([&](store::Transaction& tx) {
      return set_state(tx, AccountId("acme"), state, world_.clock.wall());
    });
  };
  EXPECT_EQ(to(State::Suspended).error().code, Code::Conflict);
  // Another version where its traffic changes, which is all that an account has of its state.
  EXPECT_EQ(to(State::Active)->version, 0U);
  EXPECT_EQ(to(State::Suspended)->version, 1U);
  EXPECT_EQ(to(State::Suspended)->version, 1U);  // the same again is no change
  EXPECT_TRUE(to(State::Offboarding).has_value());
  EXPECT_EQ(to(State::Active).error().code, Code::Conflict);
}

TEST_F(RegistryTest, SlotsAreKeptFreedAndUsedAgainOnlyWhenTheBoardIsFull) {
  ASSERT_TRUE(add("acme"));
  ASSERT_TRUE(add("globex"));
  const auto assign = [&](const std::string& id, std::vector<std::string> services) {
    return in_tx<std::map<std::string, std::uint32_t>>(
        [&](store::Transaction& tx) { return assign_slots(tx, AccountId(id), services); });
  };
  const auto first = assign("acme", {"api", "worker"});
  ASSERT_EQ(first->size(), 2U);
  const auto other = assign("globex", {"api"});
  EXPECT_NE(other->at("api"), first->at("api"));
  EXPECT_EQ(assign("acme", {"api"})->at("api"), first->at("api"));
  EXPECT_FALSE(assign("acme", {"api"})->contains("worker"));
  EXPECT_NE(first->at("api"), 0U);  // slot 0 is nobody's
}

TEST_F(RegistryTest, DomainsAreLowerCasedAndBadOnesRefused) {
  EXPECT_EQ(parse_domain("App.Example.COM.").value_or(""), "app.example.com");
  for (const char* bad : {"", "localhost", "-a.com", "a..b", "a b.com", "exa_mple.com", "a.b/c"})
    EXPECT_EQ(parse_domain(bad).error().code, Code::InvalidArgument) << bad;
  EXPECT_FALSE(parse_domain(std::string(64, 'a') + ".com").has_value());
}

TEST_F(RegistryTest, ReleasesAreFoundByNameHashPrefixAndLatest) {
  const auto put = [&](const std::string& hash, const std::string& id) {
    return in_tx<Release>([&](store::Transaction& tx) {
      Release release;
      release.hash = hash;
      release.id = base::ReleaseId(id);
      release.created = world_.clock.wall();
      return insert_release(tx, release);
    });
  };
  const auto find = [&](const std::string& name) {
    return in_tx<Release>([&](store::Transaction& tx) { return get_release(tx, name); });
  };
  ASSERT_TRUE(put("abcdef111111", "one"));
  world_.advance(std::chrono::seconds(1));
  ASSERT_TRUE(put("abcdef222222", "two"));
  EXPECT_EQ(put("abcdef111111", "other")->id.value, "one");  // the same content
  EXPECT_EQ(put("ffffff333333", "one").error().code, Code::AlreadyExists);
  EXPECT_EQ(find("two")->hash, "abcdef222222");
  EXPECT_EQ(find("latest")->id.value, "two");
  EXPECT_EQ(find("abcdef1")->id.value, "one");
  EXPECT_EQ(find("abcdef").error().code, Code::Conflict);
  EXPECT_EQ(find("nothing").error().code, Code::NotFound);
}

TEST_F(RegistryTest, AnInstallationRunsOneAppUnlessSomebodySaysOtherwise) {
  const auto record = [&](char digit, const std::string& app, NewApp new_app) {
    return in_tx<Release>([&](store::Transaction& tx) {
      Release release;
      release.hash = std::string(64, digit);
      release.id = base::ReleaseId(app + "-" + digit);
      release.app = app;
      release.created = world_.clock.wall();
      return record_release(tx, release, new_app);
    });
  };
  const auto find = [&](const std::string& app) {
    return in_tx<Release>([&](store::Transaction& tx) { return get_release(tx, "latest", app); });
  };
  EXPECT_TRUE(record('0', kVerifyApp, NewApp::Refuse));  // is no app of the installation's
  EXPECT_EQ(find("").error().code, Code::NotFound);
  EXPECT_TRUE(record('1', "insight", NewApp::Refuse));
  world_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(record('2', "insight", NewApp::Refuse));
  world_.advance(std::chrono::seconds(1));
  EXPECT_TRUE(record('3', kVerifyApp, NewApp::Refuse));
  EXPECT_EQ(find("")->id.value, "insight-2");

  const auto refused = record('4', "shop", NewApp::Refuse);
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_NE(refused.error().message.find("runs the app insight, not shop"), std::string::npos);
  EXPECT_NE(refused.error().advice.find("--new-app"), std::string::npos);
  EXPECT_EQ(find("shop").error().code, Code::NotFound);

  EXPECT_TRUE(record('4', "shop", NewApp::Allow));
  EXPECT_TRUE(record('5', "shop", NewApp::Refuse));  // known from then on
  EXPECT_EQ(find("insight")->id.value, "insight-2");
  EXPECT_EQ(find("shop")->app, "shop");
  const auto ambiguous = find("");
  EXPECT_EQ(ambiguous.error().code, Code::Conflict);
  EXPECT_NE(ambiguous.error().message.find("insight and shop"), std::string::npos);
}

TEST_F(RegistryTest, AReleaseThatIsNewIsToldOfInTheAuditLogAndOneThatIsThereIsNot) {
  Release release;
  release.hash = std::string(64, 'a');
  release.id = base::ReleaseId("insight-1");
  release.actor = "token/a";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(change([&](store::Transaction& tx) -> Result<void> {
      TRY(record_release(tx, release, NewApp::Refuse));
      return {};
    }));
  }
  const auto entries =
      in_tx<std::vector<AuditEntry>>([](store::Transaction& tx) { return list_audit(tx, {}); });
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().action, "release.create");
  EXPECT_EQ(entries->front().subject, "release/insight-1");
  EXPECT_EQ(entries->front().actor, "token/a");
}

TEST_F(RegistryTest, TokensLetInUntilTheyExpireOrAreRevoked) {
  Token wanted;
  wanted.role = Role::Deployer;
  wanted.created = world_.clock.wall();
  wanted.expires = world_.clock.wall() + std::chrono::hours(1);
  const auto made =
      in_tx<NewToken>([&](store::Transaction& tx) { return create_token(tx, wanted, world_.rng); });
  ASSERT_TRUE(made.has_value());
  const auto enter = [&](const std::string& secret) {
    return in_tx<Token>(
        [&](store::Transaction& tx) { return authenticate(tx, secret, world_.clock.wall()); });
  };
  EXPECT_EQ(enter(made->secret)->role, Role::Deployer);
  EXPECT_EQ(enter(made->secret + "x").error().code, Code::Unauthenticated);
  world_.advance(std::chrono::hours(2));
  EXPECT_EQ(enter(made->secret).error().code, Code::Unauthenticated);
}

TEST_F(RegistryTest, TheStoreHoldsNoSecretOfAToken) {
  const auto made = in_tx<NewToken>(
      [&](store::Transaction& tx) { return create_token(tx, Token(), world_.rng); });
  const auto bytes = base::os::read_file(store_.path() + "-wal", 64U << 20);
  ASSERT_TRUE(bytes.has_value());
  EXPECT_EQ(bytes->find(made->secret), std::string::npos);
}

}  // namespace
}  // namespace granary::registry
