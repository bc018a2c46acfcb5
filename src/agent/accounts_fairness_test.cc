#include "agent/accounts.h"
#include "agent/limits.h"
#include "agent/testing/agent_world.h"

// Who uses much CPU steps back, and who does not is left alone.
namespace granary::agent {
namespace {

using base::AccountId;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Use = Cgroups::CpuUse;

class AccountsFairnessTest : public AgentWorld {
 protected:
  void SetUp() override {
    for (const char* name : {"acme", "globex"}) {
      apply(spec_of(name));
      (void)activate(name);
      request_begins(name);  // so that neither sleeps
    }
  }
  void TearDown() override {
    for (const char* name : {"acme", "globex"}) request_ends(name);
  }
  // In steps of the look, acme uses all of a core.
  void spin(seconds time) {
    for (milliseconds left = time; left > milliseconds(0); left -= kCpuLook) {
      cgroups_.use_cpu("acme", kCpuLook);
      world_.advance(kCpuLook);
    }
  }
  bool yields(const std::string& account) {
    return world_.run(accounts_->report(AccountId(account)))->yields_cpu;
  }
};

TEST_F(AccountsFairnessTest, WhoSpinsStepsBackAndItsNeighbourDoesNot) {
  spin(seconds(3));
  EXPECT_EQ(cgroups_.cpu_level("acme"), Use::WhatIsLeft);
  EXPECT_TRUE(yields("acme"));
  EXPECT_EQ(cgroups_.cpu_level("globex"), Use::Share);
  EXPECT_FALSE(yields("globex"));
}

TEST_F(AccountsFairnessTest, OnceItIsCalmItHasItsShareAgain) {
  spin(seconds(3));
  world_.advance(kCpuCalmFor + seconds(5));
  EXPECT_EQ(cgroups_.cpu_level("acme"), Use::Share);
  EXPECT_FALSE(yields("acme"));
}

TEST_F(AccountsFairnessTest, WhoDiesAndStartsAgainDoesNotGetItsShareByThat) {
  spin(seconds(3));
  cgroups_.make_anew("acme");
  ASSERT_EQ(cgroups_.cpu_level("acme"), Use::Share);
  spin(seconds(1));
  EXPECT_EQ(cgroups_.cpu_level("acme"), Use::WhatIsLeft);
}

TEST_F(AccountsFairnessTest, ANewAgentBeginsWithEverybodysShare) {
  spin(seconds(3));
  restart();
  EXPECT_EQ(cgroups_.cpu_level("acme"), Use::Share);
  spin(seconds(3));
  EXPECT_EQ(cgroups_.cpu_level("acme"), Use::WhatIsLeft);
}

TEST_F(AccountsFairnessTest, WhileAllIsAsleepNobodyLooks) {
  for (const char* name : {"acme", "globex"}) request_ends(name);
  world_.advance(seconds(120));
  ASSERT_FALSE(launcher_.runs(api("acme")));
  const int looks = cgroups_.cpu_looks;
  world_.advance(seconds(120));
  EXPECT_EQ(cgroups_.cpu_looks, looks);
  for (const char* name : {"acme", "globex"}) request_begins(name);
}

TEST_F(AccountsFairnessTest, TheGatewayIsPutBeforeThem) {
  accounts_->put_first(4711);
  world_.settle();
  EXPECT_TRUE(cgroups_.before_accounts.contains(4711));
}

}  // namespace
}  // namespace granary::agent
