#include "registry/audit.h"

#include <gtest/gtest.h>

#include "registry/testing/registry_fixture.h"

namespace granary::registry {
namespace {

using base::Result;
using base::json::object;
using testing::RegistryFixture;

object with(const char* name, const char* value) {
  object document;
  document[name] = value;
  return document;
}

class AuditTest : public RegistryFixture {
 protected:
  Result<AuditEntry> append(object before, object after) {
    return in_tx<AuditEntry>([&](store::Transaction& tx) {
      return append_audit(tx, {"token/a", "tenant.update", "tenant/acme", before, after},
                          world_.clock.wall());
    });
  }
  AuditCheck verify(const std::optional<AuditHead>& known = std::nullopt) {
    return *in_tx<AuditCheck>([&](store::Transaction& tx) { return verify_audit(tx, known); });
  }
  AuditHead head() {
    return *in_tx<AuditHead>([](store::Transaction& tx) { return audit_head(tx); });
  }
  void tamper(const std::string& sql) {
    ASSERT_TRUE(in_tx<bool>([&](store::Transaction& tx) -> Result<bool> {
                  TRY(tx.exec(sql));
                  return true;
                }).has_value());
  }
};

TEST_F(AuditTest, AnEmptyLogHolds) {
  EXPECT_EQ(verify().problem, "");
  EXPECT_EQ(verify().entries, 0);
}

TEST_F(AuditTest, EntriesAreNumberedAndEachHoldsTheHashOfTheOneBefore) {
  const auto first = append({}, with("plan", "pro"));
  const auto second = append(with("plan", "pro"), with("plan", "free"));
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(first->number, 1);
  EXPECT_EQ(first->previous, std::string(64, '0'));
  EXPECT_EQ(second->previous, first->hash);
  EXPECT_EQ(verify().problem, "");
  EXPECT_EQ(verify().head, head());
}

TEST_F(AuditTest, WhatIsEqualBeforeAndAfterIsLeftOut) {
  object before = with("plan", "pro");
  before["name"] = "Acme";
  object after = with("plan", "free");
  after["name"] = "Acme";
  const auto entry = append(before, after);
  EXPECT_EQ(entry->before, with("plan", "pro"));
  EXPECT_EQ(entry->after, with("plan", "free"));
}

TEST_F(AuditTest, EveryColumnOfAnEntryIsCovered) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append({}, with("plan", "pro")));
  for (const char* change :
       {"at = at + 1", "actor = 'x'", "action = 'x'", "subject = 'x'", "before = '{\"a\":1}'",
        "after = '{}'", "previous = 'x'", "hash = 'x'"}) {
    tamper(fmt::format("CREATE TABLE kept AS SELECT * FROM audit"));
    tamper(fmt::format("UPDATE audit SET {} WHERE number = 2", change));
    EXPECT_NE(verify().problem, "") << change;
    tamper("DELETE FROM audit");
    tamper("INSERT INTO audit SELECT * FROM kept");
    tamper("DROP TABLE kept");
    EXPECT_EQ(verify().problem, "");
  }
}

TEST_F(AuditTest, AnEntryThatWasTakenOutIsMissed) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append({}, with("plan", "pro")));
  tamper("DELETE FROM audit WHERE number = 2");
  EXPECT_EQ(verify().problem, "entry 2 is missing");
}

TEST_F(AuditTest, WhatWasCutOffAtTheEndIsFoundByWhoKeptTheHead) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(append({}, with("plan", "pro")));
  const AuditHead kept = head();
  ASSERT_TRUE(append({}, with("plan", "free")));
  EXPECT_EQ(verify(kept).problem, "");
  tamper("DELETE FROM audit WHERE number >= 3");
  EXPECT_EQ(verify().problem, "");
  EXPECT_EQ(verify(kept).problem, "the log ends before entry 3");
  ASSERT_TRUE(append({}, with("plan", "other")));
  EXPECT_EQ(verify(kept).problem, "entry 3 is not the one that was");
}

TEST_F(AuditTest, ALogOfManyPagesIsReadWhole) {
  ASSERT_TRUE(
      in_tx<bool>([&](store::Transaction& tx) -> Result<bool> {
        for (int i = 0; i < 4100; ++i)
          TRY(append_audit(tx, {"token/a", "x", "tenant/acme", {}, {}}, world_.clock.wall()));
        return true;
      }).has_value());
  EXPECT_EQ(verify().entries, 4100);
  tamper("UPDATE audit SET actor = 'x' WHERE number = 4050");
  EXPECT_EQ(verify().problem, "entry 4050 was changed");
}

TEST_F(AuditTest, AListIsOfOneSubjectFromATimeOnInPages) {
  ASSERT_TRUE(append({}, with("plan", "a")));
  world_.advance(std::chrono::hours(1));
  const auto since = world_.clock.wall();
  ASSERT_TRUE(append({}, with("plan", "b")));
  ASSERT_TRUE(append({}, with("plan", "c")));
  const auto list = [&](const AuditFilter& filter) {
    return *in_tx<std::vector<AuditEntry>>(
        [&](store::Transaction& tx) { return list_audit(tx, filter); });
  };
  EXPECT_EQ(list({}).size(), 3U);
  EXPECT_EQ(list({.subject = "tenant/acme", .since = since}).size(), 2U);
  EXPECT_EQ(list({.subject = "tenant/globex", .since = {}}).size(), 0U);
  const auto page = list({.subject = {}, .since = {}, .after = 1, .limit = 1});
  ASSERT_EQ(page.size(), 1U);
  EXPECT_EQ(page.front().after, with("plan", "b"));
}

}  // namespace
}  // namespace granary::registry
