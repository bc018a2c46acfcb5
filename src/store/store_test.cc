#include "store/store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/system.h"
#include "base/testing/world.h"
#include "store/limits.h"
#include "store/testing/temporary_store.h"

namespace granary::store {
namespace {

using base::Code;
using base::Result;

Result<void> put(Transaction& tx, const std::string& name, const std::string& value) {
  TRY(tx.exec("INSERT INTO installation (name, value) VALUES (:1, :2)", {name, value}));
  return {};
}

class StoreTest : public ::testing::Test {
 protected:
  std::int64_t count() {
    std::int64_t number = -1;
    const auto result = world_.run(store_.get().read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(const auto rows, tx.exec("SELECT count(*) FROM installation"));
      number = rows.front().integer(0);
      return {};
    }));
    EXPECT_TRUE(result.has_value());
    return number;
  }

  base::testing::World world_;
  testing::TemporaryStore store_;
};

TEST_F(StoreTest, WhatWasWrittenIsReadAfterReopening) {
  ASSERT_TRUE(world_.run(store_.get().write([](Transaction& tx) { return put(tx, "a", "1"); })));
  store_.reopen();
  EXPECT_EQ(count(), 1);
}

TEST_F(StoreTest, AnErrorUndoesTheWholePieceOfWork) {
  const auto result = world_.run(store_.get().write([](Transaction& tx) -> Result<void> {
    TRY(put(tx, "a", "1"));
    return base::fail(Code::Refused, "changed my mind");
  }));
  EXPECT_EQ(result.error().code, Code::Refused);
  EXPECT_EQ(count(), 0);
}

TEST_F(StoreTest, AUniqueKeyTwiceIsAlreadyExists) {
  ASSERT_TRUE(world_.run(store_.get().write([](Transaction& tx) { return put(tx, "a", "1"); })));
  const auto again =
      world_.run(store_.get().write([](Transaction& tx) { return put(tx, "a", "2"); }));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Code::AlreadyExists);
}

// The bound on pages fails as a full disk does, and like it SQLite gives up the whole transaction.
TEST_F(StoreTest, AFullDiskIsSaidWithAdviceAndWithoutTheStatement) {
  const auto fill = [](Transaction& tx) -> Result<void> {
    TRY(tx.exec("PRAGMA max_page_count = 1"));  // the least: as many as there are
    for (int i = 0; i < 100; ++i) TRY(put(tx, std::to_string(i), std::string(10'000, 'x')));
    return {};
  };
  const auto full = world_.run(store_.get().write(fill));
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, Code::NoRoom);
  EXPECT_EQ(full.error().message, "the database: database or disk is full");
  EXPECT_NE(full.error().advice.find("Make room"), std::string::npos);
  const auto room = [](Transaction& tx) -> Result<void> {
    TRY(tx.exec("PRAGMA max_page_count = 100000"));
    return {};
  };
  ASSERT_TRUE(world_.run(store_.get().write(room)));
  ASSERT_TRUE(world_.run(store_.get().write([](Transaction& tx) { return put(tx, "a", "1"); })));
  EXPECT_EQ(count(), 1);
}

TEST_F(StoreTest, NullsIntegersAndTextsComeBackAsTheyWere) {
  const auto result = world_.run(store_.get().write([](Transaction& tx) -> Result<void> {
    TRY(
        tx.exec("INSERT INTO token (id, digest, role, label, created, expires) "
                "VALUES (:1, :2, :3, :4, :5, :6)",
                {std::string("i"), std::string("d"), std::string("operator"),
                 std::string("L\xc3\xa4nge ' \" %"), std::int64_t{1} << 60, std::monostate()}));
    TRY_ASSIGN(const auto rows, tx.exec("SELECT label, created, expires FROM token"));
    EXPECT_EQ(rows.front().text(0), "L\xc3\xa4nge ' \" %");
    EXPECT_EQ(rows.front().integer(1), std::int64_t{1} << 60);
    EXPECT_FALSE(rows.front().maybe_integer(2).has_value());
    return {};
  }));
  EXPECT_TRUE(result.has_value());
}

TEST_F(StoreTest, AStatementRunsAgainWithOtherValuesWithNullsAndAfterAnError) {
  const std::string insert =
      "INSERT INTO token (id, digest, role, label, created, expires) "
      "VALUES (:1, :2, 'operator', '', 1, :3)";
  const auto result = world_.run(store_.get().write([&](Transaction& tx) -> Result<void> {
    TRY(tx.exec(insert, {std::string("a"), std::string("1"), std::int64_t{7}}));
    TRY(tx.exec(insert, {std::string("b"), std::string("2"), std::monostate()}));
    EXPECT_EQ(tx.exec(insert, {std::string("b"), std::string("3"), std::monostate()}).error().code,
              Code::AlreadyExists);
    TRY(tx.exec(insert, {std::string("c"), std::string("3"), std::monostate()}));
    const std::string select = "SELECT id, expires FROM token WHERE id >= :1 ORDER BY id";
    TRY_ASSIGN(const auto all, tx.exec(select, {std::string("a")}));
    TRY_ASSIGN(const auto none, tx.exec(select, {std::string("x")}));
    TRY_ASSIGN(const auto last, tx.exec(select, {std::string("c")}));
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].maybe_integer(1), 7);
    EXPECT_EQ(all[1].maybe_integer(1), std::nullopt);
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(last.front().text(0), "c");
    return {};
  }));
  EXPECT_TRUE(result.has_value());
}

TEST_F(StoreTest, MoreStatementsThanAreKeptPreparedStillRun) {
  const auto result = world_.run(store_.get().read([&](Transaction& tx) -> Result<void> {
    for (int round = 0; round < 2; ++round) {
      for (std::size_t i = 0; i < 2 * kMaxStatements; ++i) {
        TRY_ASSIGN(const auto rows,
                   tx.exec(fmt::format("SELECT {} + :1", i), {std::int64_t{round}}));
        EXPECT_EQ(rows.front().integer(0), static_cast<std::int64_t>(i) + round);
      }
    }
    return {};
  }));
  EXPECT_TRUE(result.has_value());
}

TEST_F(StoreTest, ANewerSchemaIsRefusedWithAdvice) {
  ASSERT_TRUE(world_.run(store_.get().write([](Transaction& tx) -> Result<void> {
    TRY(tx.exec("INSERT INTO schema_version (number, name) VALUES (9999, 'later')"));
    return {};
  })));
  base::testing::InlineWorker worker;
  const auto opened = open_sqlite({store_.path(), {}}, {worker, worker}, migrations());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::DataLoss);
  EXPECT_NE(opened.error().advice, "");
}

TEST_F(StoreTest, AFileThatIsNoDatabaseIsDataLoss) {
  const std::string path = store_.path() + ".txt";
  ASSERT_TRUE(
      base::os::replace_file(path, std::string(8192, 'x'), 0600, base::os::Durability::Cached));
  base::testing::InlineWorker worker;
  const auto opened = open_sqlite({path, {}}, {worker, worker}, migrations());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::DataLoss);
}

// Writes for ever in a process of its own and tells through a pipe what was acknowledged.
[[noreturn]] void write_until_killed(const std::string& path, int acknowledged) {
  base::asio::io_context context(1);
  base::os::ThreadPool writer(1);
  base::os::ThreadPool reader(1);
  auto store =
      open_sqlite({path, SqliteOptions::Durability::Normal}, {writer, reader}, migrations());
  if (!store) ::_exit(1);
  for (std::uint32_t i = 0;; ++i) {
    auto work = [i](Transaction& tx) { return put(tx, std::to_string(i), "v"); };
    base::asio::co_spawn(context, (*store)->write(work),
                         [&](const std::exception_ptr&, const Result<void>& result) {
                           if (!result || ::write(acknowledged, &i, sizeof i) != sizeof i)
                             ::_exit(1);
                         });
    if (i % 8 == 7) {
      context.run();
      context.restart();
    }
  }
}

// A process that does nothing else, and what it has acknowledged so far.
class Scribe final {
 public:
  explicit Scribe(const std::string& path) {
    int ends[2];
    ASSERT(::pipe(ends) == 0);
    child_ = ::fork();
    if (child_ == 0) write_until_killed(path, ends[1]);
    ::close(ends[1]);
    told_ = ends[0];
  }
  ~Scribe() {
    kill();
    ::close(told_);
  }
  Scribe(const Scribe&) = delete;
  Scribe& operator=(const Scribe&) = delete;

  // Waits until so many writes were acknowledged.
  std::int64_t wait_for(std::int64_t writes) {
    while (acknowledged_ < writes && take()) continue;
    return acknowledged_;
  }
  // Stands still, at whatever instruction; gives what it has acknowledged until then.
  std::int64_t stop() {
    ::kill(child_, SIGSTOP);
    int status = 0;
    ::waitpid(child_, &status, WUNTRACED);
    int waiting = 0;
    while (::ioctl(told_, FIONREAD, &waiting) == 0 && waiting > 0 && take()) continue;
    return acknowledged_;
  }
  void go_on() { ::kill(child_, SIGCONT); }
  std::int64_t kill() {
    if (child_ == 0) return acknowledged_;
    ::kill(child_, SIGKILL);
    while (take()) continue;
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
    return acknowledged_;
  }

 private:
  bool take() {
    std::uint32_t last = 0;
    const bool got = ::read(told_, &last, sizeof last) == sizeof last;
    acknowledged_ += got ? 1 : 0;
    return got;
  }
  pid_t child_ = 0;
  int told_ = -1;
  std::int64_t acknowledged_ = 0;
};

TEST_F(StoreTest, AcknowledgedWritesSurviveSigkill) {
  Scribe scribe(store_.path());
  scribe.wait_for(200);
  const std::int64_t acknowledged = scribe.kill();
  store_.reopen();
  EXPECT_GE(acknowledged, 200);
  EXPECT_GE(count(), acknowledged);
}

// As a snapshot of the file system takes it: all files at one instant, in the middle of a write.
TEST_F(StoreTest, ACopyTakenInTheMiddleOfAWriteIsWholeAndHoldsWhatWasAcknowledged) {
  Scribe scribe(store_.path());
  for (std::int64_t turn = 1; turn <= 8; ++turn) {
    scribe.wait_for(turn * 150);
    const std::int64_t acknowledged = scribe.stop();
    const testing::TemporaryStore copy(store_.path());
    scribe.go_on();
    std::int64_t rows = 0;
    std::string integrity;
    const auto read = world_.run(copy.get().read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(const auto checked, tx.exec("PRAGMA integrity_check"));
      integrity = checked.front().text(0);
      TRY_ASSIGN(const auto counted, tx.exec("SELECT count(*) FROM installation"));
      rows = counted.front().integer(0);
      return {};
    }));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(integrity, "ok");
    EXPECT_GE(rows, acknowledged) << "turn " << turn;
  }
}

TEST_F(StoreTest, ConcurrentWritesAllResolveAndARefusedOneSparesItsNeighbours) {
  base::asio::io_context context(1);
  base::os::ThreadPool writer(1);
  base::os::ThreadPool reader(1);
  auto store =
      open_sqlite({store_.path(), SqliteOptions::Durability::Full}, {writer, reader}, migrations());
  ASSERT_TRUE(store.has_value());
  int good = 0;
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    // Every third has the name of the one before it.
    auto work = [i](Transaction& tx) {
      return put(tx, std::to_string(i % 3 == 2 ? i - 1 : i), "");
    };
    base::asio::co_spawn(context, (*store)->write(work),
                         [&](const std::exception_ptr&, const Result<void>& result) {
                           ++(result ? good : refused);
                         });
  }
  context.run();
  EXPECT_EQ(good, 200);
  EXPECT_EQ(refused, 100);
  EXPECT_EQ(count(), 200);
}

}  // namespace
}  // namespace granary::store
