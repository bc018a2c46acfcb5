#include "store/leased_store.h"

#include <gtest/gtest.h>

#include "store/testing/store_process.h"

namespace granary::store {
namespace {

using base::Code;
using base::Result;
using testing::Fate;
using testing::pass;
using testing::StoreProcess;
using namespace std::chrono_literals;

Result<void> put(Transaction& tx, const std::string& name) {
  TRY(tx.exec("INSERT INTO installation (name, value) VALUES (:1, '')", {name}));
  return {};
}

class LeasedStoreTest : public ::testing::Test {
 protected:
  Result<void> write(StoreProcess& process, const std::string& name) {
    return process.world.run(
        process.leased->write([name](Transaction& tx) { return put(tx, name); }));
  }
  std::int64_t count() {
    std::int64_t number = -1;
    base::testing::World world;
    EXPECT_TRUE(world.run(file_.get().read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(const auto rows, tx.exec("SELECT count(*) FROM installation"));
      number = rows.front().integer(0);
      return {};
    })));
    return number;
  }

  testing::TemporaryStore file_;
  StoreProcess first_{file_.path(), "process 1 on host alpha"};
  StoreProcess second_{file_.path(), "process 2 on host beta"};
};

TEST_F(LeasedStoreTest, OneHoldsItAndTheOtherIsToldWhoAndSinceWhen) {
  ASSERT_TRUE(first_.take());
  ASSERT_TRUE(write(first_, "a"));
  const auto refused = second_.take();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_NE(refused.error().message.find("process 1 on host alpha since 2026-11-24T"),
            std::string::npos)
      << refused.error().message;
  const auto unwritten = write(second_, "b");
  ASSERT_FALSE(unwritten.has_value());
  EXPECT_NE(unwritten.error().message.find("process 1 on host alpha"), std::string::npos);
  EXPECT_EQ(count(), 1);
}

TEST_F(LeasedStoreTest, NothingIsWrittenWithoutIt) {
  EXPECT_EQ(write(first_, "a").error().code, Code::Unavailable);
  EXPECT_FALSE(first_.has_lease());
  EXPECT_EQ(count(), 0);
}

TEST_F(LeasedStoreTest, AHolderThatLivesKeepsItForYears) {
  ASSERT_TRUE(first_.take());
  second_.stand_by();
  pass(10min, {&first_, &second_});
  EXPECT_TRUE(first_.has_lease());
  EXPECT_FALSE(second_.has_lease());
}

TEST_F(LeasedStoreTest, AKilledHoldersLeaseIsTakenOverAfterItExpired) {
  ASSERT_TRUE(first_.take());
  second_.stand_by();
  pass(1min, {&first_, &second_});
  first_.kill();
  pass(25s, {&first_, &second_});
  EXPECT_FALSE(second_.has_lease()) << "it may only be slow";
  pass(25s, {&first_, &second_});
  EXPECT_TRUE(second_.has_lease());
  EXPECT_TRUE(write(second_, "b"));
}

TEST_F(LeasedStoreTest, AHolderThatWasStoppedForAWhileWritesNothingAfterwards) {
  ASSERT_TRUE(first_.take());
  second_.stand_by();
  pass(1min, {&first_, &second_});
  first_.stopped = true;
  pass(1min, {&first_, &second_});
  ASSERT_TRUE(second_.has_lease());
  first_.stopped = false;
  EXPECT_FALSE(first_.has_lease()) << "it knows by its own clock, before it asks";
  const auto refused = write(first_, "a");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Code::Conflict);
  EXPECT_NE(refused.error().message.find("process 2 on host beta"), std::string::npos);
  EXPECT_TRUE(first_.leased->is_lost());
  EXPECT_EQ(count(), 0);
  // It never gets it back, and does not disturb the one that works.
  pass(5min, {&first_, &second_});
  EXPECT_FALSE(first_.has_lease());
  EXPECT_TRUE(second_.has_lease());
}

TEST_F(LeasedStoreTest, AStopThatIsShorterCostsNothing) {
  ASSERT_TRUE(first_.take());
  second_.stand_by();
  pass(1min, {&first_, &second_});
  first_.stopped = true;
  pass(15s, {&first_, &second_});
  first_.stopped = false;
  pass(1min, {&first_, &second_});
  EXPECT_TRUE(first_.has_lease());
  EXPECT_FALSE(second_.has_lease());
}

TEST_F(LeasedStoreTest, NoLeapOfAWallClockTakesALease) {
  ASSERT_TRUE(first_.take());
  second_.stand_by();
  for (const auto leap : {std::chrono::hours(24 * 3650), std::chrono::hours(-24 * 7300)}) {
    first_.world.clock.jump_wall(leap);
    pass(2min, {&first_, &second_});
    second_.world.clock.jump_wall(leap * 2);
    pass(2min, {&first_, &second_});
    EXPECT_TRUE(first_.has_lease());
    EXPECT_FALSE(second_.has_lease());
  }
}

TEST_F(LeasedStoreTest, OneWhoComesToASilentLeaseWaitsItsFullTimeFirst) {
  ASSERT_TRUE(first_.take());
  first_.kill();
  pass(1h, {&first_, &second_});
  EXPECT_EQ(second_.take().error().code, Code::Conflict) << "it has not watched it";
  second_.stand_by();
  pass(25s, {&second_});
  EXPECT_FALSE(second_.has_lease());
  pass(15s, {&second_});
  EXPECT_TRUE(second_.has_lease());
}

TEST_F(LeasedStoreTest, AtTheSamePlaceItIsTakenOverAtOnce) {
  StoreProcess before(file_.path(), "process 3", "boot/folder");
  ASSERT_TRUE(before.take());
  before.kill();
  StoreProcess after(file_.path(), "process 4", "boot/folder");
  ASSERT_TRUE(after.take());
  EXPECT_TRUE(write(after, "a"));
  StoreProcess elsewhere(file_.path(), "process 5", "boot/other");
  EXPECT_EQ(elsewhere.take().error().code, Code::Conflict);
}

TEST_F(LeasedStoreTest, OneThatWasGivenBackIsFree) {
  ASSERT_TRUE(first_.take());
  first_.world.run(first_.leased->release());
  EXPECT_FALSE(write(first_, "a").has_value());
  EXPECT_TRUE(second_.take());
  EXPECT_TRUE(write(second_, "b"));
  // Giving back late takes nothing from the next one.
  first_.world.run(first_.leased->release());
  EXPECT_TRUE(write(second_, "c"));
}

TEST_F(LeasedStoreTest, OfTwoThatWaitOneGetsIt) {
  StoreProcess third(file_.path(), "process 3 on host gamma");
  ASSERT_TRUE(first_.take());
  second_.stand_by();
  third.stand_by();
  pass(30s, {&first_, &second_, &third});
  first_.kill();
  pass(2min, {&second_, &third});
  EXPECT_NE(second_.has_lease(), third.has_lease());
}

TEST_F(LeasedStoreTest, AHolderThatCannotRenewItBeginsNothingUntilItCan) {
  ASSERT_TRUE(first_.take());
  pass(15s, {&first_});
  first_.faulty->fill_disk();
  pass(1min, {&first_});
  EXPECT_FALSE(first_.has_lease());
  EXPECT_FALSE(first_.leased->is_lost());
  first_.faulty->free_disk();
  pass(15s, {&first_});
  EXPECT_TRUE(first_.has_lease());
  EXPECT_TRUE(write(first_, "a"));
}

TEST_F(LeasedStoreTest, WhateverBecomesOfTheWriteThatTakesItOneMayHoldIt) {
  using enum Fate;
  for (const Fate fate : {FailBefore, FailInside, LoseAnswer}) {
    const testing::TemporaryStore file;
    StoreProcess one(file.path(), "process 1", "here");
    StoreProcess two(file.path(), "process 2");
    int left = 0;
    one.faulty->set_faults(
        {.of_write = [&] { return left++ == 0 ? fate : Done; }, .of_read = {}, .crashed = {}});
    EXPECT_FALSE(one.take().has_value());
    EXPECT_TRUE(one.take().has_value());
    EXPECT_EQ(two.take().error().code, Code::Conflict);
    EXPECT_TRUE(write(one, "a").has_value());
  }
}

TEST(LeaseTest, ItMayBeTakenOverWhenNobodyHoldsItAtTheSamePlaceOrAfterASilence) {
  const LeaseHolder self{.name = "self", .place = "here"};
  const auto seen = [](const std::string& name, const std::string& place) {
    return LeaseSight{
        .state = {.holder = {.name = name, .place = place}, .fence = 7, .beat = 3, .since = {}},
        .first_seen = 100s};
  };
  EXPECT_TRUE(may_take_over(seen("", ""), self, 100s, 30s));
  EXPECT_TRUE(may_take_over(seen("other", "here"), self, 100s, 30s));
  EXPECT_FALSE(may_take_over(seen("other", "there"), self, 129s, 30s));
  EXPECT_TRUE(may_take_over(seen("other", "there"), self, 130s, 30s));
  EXPECT_FALSE(may_take_over(seen("other", ""), {.name = "self", .place = ""}, 100s, 30s))
      << "no place is not the same place";
}

// ---- the schema before it

TEST(FanOutMigrationTest, ResultsFollowUpsAndChildrenBecomeColumns) {
  const std::string folder = fmt::format("/tmp/granary-migration-{}", ::getpid());
  ASSERT_TRUE(base::os::make_folders(folder, 0700));
  const std::string path = folder + "/granary.db";
  base::testing::World world;
  std::vector<Migration> earlier = migrations();
  earlier.resize(2);
  const std::string parent = "01JDAAAAAAAAAAAAAAAAAAAAAA";
  {
    auto old = open_sqlite({path, {}}, {world.worker, world.worker}, earlier);
    ASSERT_TRUE(old.has_value());
    ASSERT_TRUE(world.run((*old)->write([&](Transaction& tx) -> Result<void> {
      const auto insert = [&](const std::string& id, const std::string& state,
                              const std::string& scratch, const Value& key) {
        return tx.exec(
            "INSERT INTO operation (id, kind, subject, state, step, attempts, input, scratch, "
            "actor, idempotency_key, created, updated) VALUES (:1, 'k', 's', :2, 'fan-out', 1, "
            "'{}', :3, 'a', :4, 1, 1)",
            {id, state, scratch, key});
      };
      TRY(insert(parent, "running", R"({"result": {"accounts": 3}, "other": 1})",
                 std::monostate()));
      TRY(insert("01A", "succeeded", R"({"check": "01CHECK"})", "for/" + parent + "/acme"));
      TRY(insert("01B", "failed", "{}", "for/" + parent + "/globex"));
      TRY(insert("01C", "queued", "damaged", "for/" + parent + "/initech"));
      TRY(insert("01D", "succeeded", "{}", "token/x/for/all"));
      return {};
    })));
  }
  auto now = open_sqlite({path, {}}, {world.worker, world.worker}, migrations());
  ASSERT_TRUE(now.has_value());
  ASSERT_TRUE(world.run((*now)->read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto rows,
               tx.exec("SELECT result, scratch, children_begun, children_succeeded, "
                       "children_failed, children_mark FROM operation WHERE id = :1",
                       {parent}));
    EXPECT_EQ(rows.front().text(0), R"({"accounts":3})");
    EXPECT_EQ(rows.front().text(1), R"({"other":1})");
    EXPECT_EQ(rows.front().integer(2), 3);
    EXPECT_EQ(rows.front().integer(3), 1);
    EXPECT_EQ(rows.front().integer(4), 1);
    EXPECT_EQ(rows.front().text(5), "initech") << "the next child comes after it";
    TRY_ASSIGN(const auto child, tx.exec("SELECT parent, follow_up, scratch FROM operation "
                                         "WHERE id = '01A'"));
    EXPECT_EQ(child.front().text(0), parent);
    EXPECT_EQ(child.front().text(1), "01CHECK");
    EXPECT_EQ(child.front().text(2), "{}");
    TRY_ASSIGN(const auto damaged, tx.exec("SELECT scratch, parent FROM operation "
                                           "WHERE id = '01C'"));
    EXPECT_EQ(damaged.front().text(0), "damaged")
        << "left for a person, and no reason not to start";
    EXPECT_EQ(damaged.front().text(1), parent);
    TRY_ASSIGN(const auto none, tx.exec("SELECT parent FROM operation WHERE id = '01D'"));
    EXPECT_FALSE(none.front().maybe_text(0).has_value());
    return {};
  })));
  now->reset();
  EXPECT_TRUE(base::os::remove_tree(folder));
}

}  // namespace
}  // namespace granary::store
