#include "base/os/peer_end.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace granary::base::os {
namespace {

class PeerEndTest : public ::testing::Test {
 protected:
  PeerEndTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_), 0); }
  ~PeerEndTest() override {
    ::close(pair_[0]);
    ::close(pair_[1]);
  }
  int pair_[2];
};

TEST_F(PeerEndTest, WhatWaitsToBeReadHidesNoEnd) {
  EXPECT_EQ(peer_end(pair_[0]), PeerEnd::Open);
  ASSERT_EQ(::write(pair_[1], "x", 1), 1);
  EXPECT_EQ(peer_end(pair_[0]), PeerEnd::Open);
  ::shutdown(pair_[1], SHUT_WR);
  EXPECT_EQ(peer_end(pair_[0]), PeerEnd::SaidAll);
  ::shutdown(pair_[1], SHUT_RD);
  EXPECT_EQ(peer_end(pair_[0]), PeerEnd::Gone);
}

TEST_F(PeerEndTest, APeerThatClosedIsGone) {
  ASSERT_EQ(::write(pair_[0], "unread", 6), 6);
  ::close(pair_[1]);
  pair_[1] = -1;
  EXPECT_EQ(peer_end(pair_[0]), PeerEnd::Gone);
}

}  // namespace
}  // namespace granary::base::os
