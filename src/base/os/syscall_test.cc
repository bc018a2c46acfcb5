#include "base/os/syscall.h"

#include <gtest/gtest.h>

namespace granary::base::os {
namespace {

TEST(SyscallTest, AFullDiskIsAKindOfItsOwnAndSaysHowToMakeRoom) {
  for (const int full : {ENOSPC, EDQUOT}) {
    const Error error = from_errno(full, "write", "/data/x");
    EXPECT_EQ(error.code, Code::NoRoom);
    EXPECT_EQ(error.advice, kMakeRoom);
  }
}

// "No space left on device" is also what the kernel says when there are too many watches.
TEST(SyscallTest, WhatTheKernelHasNoRoomForElsewhereIsNoFullDisk) {
  for (const char* call : {"inotify_add_watch", "unshare", "add_key"})
    EXPECT_EQ(from_errno(ENOSPC, call, "x").code, Code::Exhausted) << call;
  EXPECT_EQ(from_errno(EMFILE, "open", "x").code, Code::Exhausted);
}

TEST(SyscallTest, EveryCodeHasANameThatLeadsBackToIt) {
  for (int code = 0; code <= static_cast<int>(Code::Internal); ++code)
    EXPECT_EQ(code_from(to_string(static_cast<Code>(code))), static_cast<Code>(code));
}

}  // namespace
}  // namespace granary::base::os
