#include "base/os/folder_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

class FolderLockTest : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder_;
};

TEST_F(FolderLockTest, OneHoldsItAloneUntilItLetsGo) {
  auto held = hold_folder(folder_.path(), Hold::Alone);
  ASSERT_TRUE(held.has_value());
  EXPECT_EQ(hold_folder(folder_.path(), Hold::Alone).error().code, Code::Conflict);
  EXPECT_EQ(hold_folder(folder_.path(), Hold::Shared).error().code, Code::Conflict);
  held->reset();
  EXPECT_TRUE(hold_folder(folder_.path(), Hold::Alone).has_value());
}

TEST_F(FolderLockTest, SeveralShareItAndNobodyHasItAloneMeanwhile) {
  const auto one = hold_folder(folder_.path(), Hold::Shared);
  const auto another = hold_folder(folder_.path(), Hold::Shared);
  EXPECT_TRUE(one.has_value() && another.has_value());
  EXPECT_EQ(hold_folder(folder_.path(), Hold::Alone).error().code, Code::Conflict);
}

TEST_F(FolderLockTest, ItsHolderIsNamed) {
  EXPECT_FALSE(folder_holder(folder_.path()).has_value());
  const auto held = hold_folder(folder_.path(), Hold::Alone);
  const auto holder = folder_holder(folder_.path());
  ASSERT_TRUE(holder.has_value());
  EXPECT_EQ(holder->pid, ::getpid());
  EXPECT_NE(holder->command.find("base_test"), std::string::npos) << holder->command;
  EXPECT_GT(holder->started.count(), 0);
}

TEST_F(FolderLockTest, AProgramThatTheHolderStartedDoesNotHoldIt) {
  auto held = hold_folder(folder_.path(), Hold::Alone);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl("/bin/cat", "cat", nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);
  const std::string image = fmt::format("/proc/{}/exe", child);
  char target[256];
  for (std::string now; now.find("cat") == std::string::npos;) {
    const ssize_t length = ::readlink(image.c_str(), target, sizeof target);
    now.assign(target, length < 0 ? 0 : static_cast<std::size_t>(length));
  }
  held->reset();
  EXPECT_TRUE(hold_folder(folder_.path(), Hold::Alone).has_value());
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
}

TEST_F(FolderLockTest, WhatIsNotThereIsNotHeld) {
  EXPECT_EQ(hold_folder(folder_.path() + "/none", Hold::Alone).error().code, Code::NotFound);
}

TEST(FindFlockTest, TheLineOfThatFolderIsTaken) {
  constexpr std::string_view kLocks =
      "1: POSIX  ADVISORY  WRITE 11 08:01:131 0 EOF\n"
      "2: FLOCK  ADVISORY  WRITE 12 08:02:131 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 13 08:01:131 0 EOF\n"
      "3: -> FLOCK  ADVISORY  WRITE 14 08:01:131 0 EOF\n"
      "4: OFDLCK ADVISORY  READ -1 08:01:131 0 EOF\n";
  EXPECT_EQ(find_flock(kLocks, "08:01", 131), 13);
  EXPECT_EQ(find_flock(kLocks, "08:02", 131), 12);
  EXPECT_NE(find_flock(kLocks, "00:2f", 131), 0);
  EXPECT_EQ(find_flock(kLocks, "08:01", 13), 0);
  EXPECT_EQ(find_flock("", "08:01", 131), 0);
}

}  // namespace
}  // namespace granary::base::os
