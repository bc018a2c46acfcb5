#include "wire/activity_board.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/testing/temporary_folder.h"

namespace granary::wire {
namespace {

using base::Code;
using Access = ActivityBoard::Access;

class ActivityBoardTest : public testing::Test {
 protected:
  void create() { ASSERT_TRUE(ActivityBoard::create(path_, 0640, ::getgid()).has_value()); }
  std::unique_ptr<ActivityBoard> open(Access access) {
    auto board = ActivityBoard::open(path_, access);
    EXPECT_TRUE(board.has_value()) << describe(board.error());
    return std::move(*board);
  }
  struct stat status() const {
    struct stat found = {};
    EXPECT_EQ(::stat(path_.c_str(), &found), 0);
    return found;
  }

  base::testing::TemporaryFolder folder_;
  std::string path_ = folder_ / "board";
};

TEST_F(ActivityBoardTest, WhatOneProcessCountsAnotherReads) {
  create();
  const auto gateway = open(Access::ReadWrite);
  const std::unique_ptr<const ActivityBoard> control = open(Access::ReadOnly);
  gateway->slot(0).requests = 7;
  gateway->slot(ActivityBoard::kSlots - 1).in_flight = 3;
  EXPECT_EQ(control->slot(0).requests, 7U);
  EXPECT_EQ(control->slot(ActivityBoard::kSlots - 1).in_flight, 3U);
  EXPECT_EQ(control->slot(1).requests, 0U);
}

TEST_F(ActivityBoardTest, CountsOutliveTheProcessesAndAnotherCreate) {
  create();
  open(Access::ReadWrite)->slot(5).epoch = 9;
  create();
  EXPECT_EQ(open(Access::ReadWrite)->slot(5).epoch, 9U);
}

TEST_F(ActivityBoardTest, UnusedSlotsTakeNoDisk) {
  create();
  EXPECT_GT(status().st_size, 4 << 20);
  EXPECT_LE(status().st_blocks * 512, 16 << 10);
}

TEST_F(ActivityBoardTest, TheModeIsExactlyTheOneAskedFor) {
  const mode_t before = ::umask(077);
  create();
  ::umask(before);
  EXPECT_EQ(status().st_mode & 07777, 0640U);
  ASSERT_TRUE(ActivityBoard::create(path_, 0600, ::getgid()).has_value());
  EXPECT_EQ(status().st_mode & 07777, 0600U);
}

TEST_F(ActivityBoardTest, AMissingBoardIsNotFound) {
  auto board = ActivityBoard::open(path_, Access::ReadOnly);
  ASSERT_FALSE(board.has_value());
  EXPECT_EQ(board.error().code, Code::NotFound);
}

TEST_F(ActivityBoardTest, AFileThatIsNoBoardIsRefusedAndKept) {
  for (const std::string& bytes :
       {std::string(), std::string("hello"), std::string(4096 + (4U << 20), 'x')}) {
    folder_.write("board", bytes);
    auto board = ActivityBoard::open(path_, Access::ReadWrite);
    ASSERT_FALSE(board.has_value());
    EXPECT_EQ(board.error().code, Code::DataLoss);
    EXPECT_FALSE(ActivityBoard::create(path_, 0640, ::getgid()).has_value());
    EXPECT_EQ(base::os::read_file(path_, 8U << 20).value(), bytes);
  }
}

// The handshake of the header, as both sides do it: never may both believe to have won.
TEST_F(ActivityBoardTest, AStopAndARequestNeverMissEachOther) {
  create();
  const auto board = open(Access::ReadWrite);
  BoardSlot& slot = board->slot(1);
  constexpr int kRounds = 2'000;
  int missed = 0;
  for (int round = 0; round < kRounds; ++round) {
    slot.in_flight = 0;
    slot.epoch = 1;
    std::atomic<int> ready{0};
    bool served_by_old = false;
    bool stopped = false;
    const auto meet = [&] {
      for (++ready; ready < 2;) {
      }
    };
    std::thread gateway([&] {
      meet();
      slot.in_flight += 1;
      served_by_old = slot.epoch == 1;
    });
    meet();
    slot.epoch = 0;
    stopped = slot.in_flight == 0;
    gateway.join();
    if (served_by_old && stopped) ++missed;
  }
  EXPECT_EQ(missed, 0);
}

}  // namespace
}  // namespace granary::wire
