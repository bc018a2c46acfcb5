#include "registry/domain.h"

#include "registry/limits.h"
#include "registry/testing/registry_fixture.h"

namespace granary::registry {
namespace {

using base::AccountId;
using base::Code;
using base::Result;

const AccountId kAcme("acme");
const AccountId kGlobex("globex");
constexpr const char* kShop = "shop.example.com";

class DomainTest : public testing::RegistryFixture {
 protected:
  void SetUp() override {
    ASSERT_TRUE(add("acme"));
    ASSERT_TRUE(add("globex"));
  }
  Result<DomainClaim> claim(const AccountId& account, const std::string& token) {
    return in_tx<DomainClaim>([&](store::Transaction& tx) {
      return claim_domain(tx, {account, kShop, token, world_.clock.wall()});
    });
  }
  Result<void> prove(const AccountId& account) {
    return change([&](store::Transaction& tx) {
      return prove_domain(tx, account, kShop, Proof::Dns, world_.clock.wall());
    });
  }
};

TEST_F(DomainTest, AClaimIsNoDomainYet) {
  ASSERT_TRUE(claim(kAcme, "a"));
  EXPECT_TRUE(get_account("acme")->domains.empty());
  EXPECT_EQ(claim(kAcme, "another")->token, "a");
}

TEST_F(DomainTest, WhoProvesItFirstHasItAndTheOthersClaimsEnd) {
  ASSERT_TRUE(claim(kAcme, "a"));
  ASSERT_TRUE(claim(kGlobex, "b"));
  const auto before = get_account("globex")->version;
  ASSERT_TRUE(prove(kGlobex).has_value());
  EXPECT_EQ(get_account("globex")->domains, std::vector<std::string>{kShop});
  EXPECT_GT(get_account("globex")->version, before);
  EXPECT_EQ(prove(kAcme).error().code, Code::NotFound);
  EXPECT_EQ(claim(kAcme, "a").error().code, Code::AlreadyExists);
}

TEST_F(DomainTest, NothingIsProvedThatWasNotClaimed) {
  EXPECT_EQ(prove(kAcme).error().code, Code::NotFound);
  EXPECT_EQ(claim(AccountId("nobody"), "a").error().code, Code::NotFound);
}

TEST_F(DomainTest, AClaimGoesWithItsAccount) {
  ASSERT_TRUE(claim(kAcme, "a"));
  ASSERT_TRUE(change([](store::Transaction& tx) { return remove(tx, kAcme); }).has_value());
  const auto left = in_tx<std::vector<DomainClaim>>(
      [](store::Transaction& tx) { return list_claims(tx, kAcme); });
  EXPECT_TRUE(left->empty());
}

TEST_F(DomainTest, AWayToBeFoundBelongsToOneTenant) {
  const auto add_key = [&](const AccountId& account) {
    return change([&](store::Transaction& tx) -> Result<void> {
      TRY(change_details(tx, account, {.add_discovery = {"email-domain:acme.example"}},
                         world_.clock.wall()));
      return {};
    });
  };
  ASSERT_TRUE(add_key(kAcme).has_value());
  EXPECT_TRUE(add_key(kAcme).has_value());
  EXPECT_EQ(add_key(kGlobex).error().code, Code::AlreadyExists);
  EXPECT_EQ(get_account("acme")->discovery, std::vector<std::string>{"email-domain:acme.example"});
}

TEST_F(DomainTest, MoreKeysThanAllowedAreRefusedAndNoneIsLeft) {
  Details many;
  for (std::size_t i = 0; i <= kMaxDiscoveryKeys; ++i)
    many.add_discovery.push_back(fmt::format("email:u{}@acme.example", i));
  const auto refused = change([&](store::Transaction& tx) -> Result<void> {
    TRY(change_details(tx, kAcme, many, world_.clock.wall()));
    return {};
  });
  EXPECT_EQ(refused.error().code, Code::InvalidArgument);
  EXPECT_TRUE(get_account("acme")->discovery.empty());
}

TEST(DiscoveryKeyTest, KeysAreLowerCaseAndChecked) {
  EXPECT_EQ(parse_discovery_key("email:Ann@ACME.Example"), "email:ann@acme.example");
  EXPECT_EQ(parse_discovery_key("email-domain:ACME.example"), "email-domain:acme.example");
  for (const char* text :
       {"", "acme.example", "email:", "email:@acme.example", "email:ann", "email:a b@acme.example",
        "email:\"a\"@acme.example", "email-domain:", "email-domain:localhost", "phone:123"})
    EXPECT_EQ(parse_discovery_key(text).error().code, Code::InvalidArgument) << text;
}

}  // namespace
}  // namespace granary::registry
