#include <fstream>

#include "agent/accounts.h"
#include "agent/testing/agent_world.h"
#include "base/os/file.h"

// Accounts of which something on disk is gone or broken: told, never made good by an empty one.
namespace granary::agent {
namespace {

using base::AccountId;
using base::Code;

class AccountsDamageTest : public AgentWorld {
 protected:
  std::string problem(const std::string& account) {
    const auto report = world_.run(accounts_->report(AccountId(account)));
    return report ? report->problem : "no such account";
  }
  void spoil(const std::string& account) {
    std::ofstream(paths_.account_file(AccountId(account))) << "{ half of i";
  }
  base::Result<void> try_to_apply(const wire::AccountSpec& spec) {
    return world_.run(accounts_->apply(spec));
  }
};

TEST_F(AccountsDamageTest, AWholeAccountHasNoProblem) {
  apply(spec_of("acme"));
  EXPECT_EQ(problem("acme"), "");
  restart();
  EXPECT_EQ(problem("acme"), "");
}

TEST_F(AccountsDamageTest, AnUnreadableAccountIsListedInItsPlaceWithTheReason) {
  for (const char* name : {"acme", "globex", "initech"}) apply(spec_of(name));
  spoil("globex");
  restart();
  std::vector<std::string> seen;
  std::string after;
  do {
    const auto page = world_.run(accounts_->list(after, 2));
    ASSERT_TRUE(page.has_value());
    for (const auto& report : page->accounts) seen.push_back(report.account.value);
    after = page->next;
  } while (!after.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"acme", "globex", "initech"}));
  EXPECT_NE(problem("globex").find("account.json cannot be read"), std::string::npos);
  EXPECT_EQ(world_.run(accounts_->report(AccountId("globex")))->version, 0U);
  EXPECT_EQ(problem("acme"), "");
}

TEST_F(AccountsDamageTest, AnUnreadableAccountIsMendedByApplyingItAndKeepsItsDisk) {
  auto spec = spec_of("acme");
  apply(spec);
  const std::uint64_t bytes = volumes_.size("acme");
  spoil("acme");
  restart();
  EXPECT_EQ(activate("acme").error().error.code, Code::NotFound);
  apply(spec);
  EXPECT_EQ(problem("acme"), "");
  EXPECT_EQ(volumes_.size("acme"), bytes);
  EXPECT_TRUE(activate("acme").has_value());
  restart();
  EXPECT_EQ(problem("acme"), "");
}

TEST_F(AccountsDamageTest, ADiskWithoutAnAccountFileIsTold) {
  apply(spec_of("acme"));
  std::ofstream(paths_.disk(AccountId("acme"))) << "image";
  ASSERT_TRUE(base::os::remove_file(paths_.account_file(AccountId("acme"))).has_value());
  restart();
  EXPECT_EQ(problem("acme"), "its disk is there, but no account.json");
}

TEST_F(AccountsDamageTest, AFolderThatWasNeverAcknowledgedIsNoAccount) {
  apply(spec_of("acme"));
  ASSERT_TRUE(base::os::remove_file(paths_.account_file(AccountId("acme"))).has_value());
  restart();
  EXPECT_EQ(problem("acme"), "no such account");
  apply(spec_of("acme"));
  EXPECT_EQ(problem("acme"), "");
}

TEST_F(AccountsDamageTest, AnUnreadableAccountCanBeRemoved) {
  apply(spec_of("acme"));
  spoil("acme");
  restart();
  EXPECT_TRUE(world_.run(accounts_->remove(AccountId("acme"))).has_value());
  EXPECT_EQ(problem("acme"), "no such account");
  EXPECT_FALSE(base::os::exists(paths_.account(AccountId("acme"))));
}

TEST_F(AccountsDamageTest, ALostDiskIsToldAndNeverReplacedByAnEmptyOne) {
  auto spec = spec_of("acme");
  apply(spec);
  volumes_.lose("acme");
  EXPECT_EQ(problem("acme"), "its disk is gone");
  ++spec.version;
  EXPECT_EQ(try_to_apply(spec).error().code, Code::DataLoss);
  EXPECT_EQ(problem("acme"), "its disk is gone");
  restart();
  EXPECT_EQ(try_to_apply(spec).error().code, Code::DataLoss);
}

TEST_F(AccountsDamageTest, ALostDiskOfAnUnreadableAccountIsNotReplacedEither) {
  auto spec = spec_of("acme");
  apply(spec);
  spoil("acme");
  volumes_.lose("acme");
  restart();
  EXPECT_EQ(try_to_apply(spec).error().code, Code::DataLoss);
  EXPECT_NE(problem("acme").find("account.json cannot be read"), std::string::npos);
}

TEST_F(AccountsDamageTest, SuspendedItIsTakenAsItIsSoThatItsDataCanComeBack) {
  auto spec = spec_of("acme");
  apply(spec);
  volumes_.lose("acme");
  ++spec.version;
  spec.traffic = wire::Traffic::Suspended;
  apply(spec);
  EXPECT_EQ(problem("acme"), "its disk is gone");
}

TEST_F(AccountsDamageTest, RemovedAndAppliedAnewItHasAnEmptyDisk) {
  const auto spec = spec_of("acme");
  apply(spec);
  volumes_.lose("acme");
  ASSERT_TRUE(world_.run(accounts_->remove(AccountId("acme"))).has_value());
  apply(spec);
  EXPECT_EQ(problem("acme"), "");
}

TEST_F(AccountsDamageTest, ADiskThatIsCutOffIsToldAndNotGrownAgain) {
  auto spec = spec_of("acme");
  apply(spec);
  volumes_.cut("acme", 4096);
  const auto text = fmt::format("its disk ends after 4096 of {} bytes", spec.disk_bytes);
  EXPECT_EQ(problem("acme"), text);
  ++spec.version;
  EXPECT_EQ(try_to_apply(spec).error().message, "account acme: " + text);
  spec.traffic = wire::Traffic::Suspended;
  apply(spec);
  EXPECT_EQ(volumes_.size("acme"), 4096U);
}

TEST_F(AccountsDamageTest, WhatFailsBeforeItsDiskIsThereIsNotSaved) {
  volumes_.fail_with(base::Error{Code::Exhausted, "no room", {}, {}});
  EXPECT_EQ(try_to_apply(spec_of("acme")).error().code, Code::Exhausted);
  EXPECT_FALSE(base::os::exists(paths_.account_file(AccountId("acme"))));
  volumes_.fail_with({});
  apply(spec_of("acme"));
  EXPECT_EQ(problem("acme"), "");
}

}  // namespace
}  // namespace granary::agent
