#include "agent/init/flow.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <vector>

#include "agent/init/forwarder.h"
#include "agent/init/limits.h"
#include "agent/init/supervisor.h"
#include "agent/init/sys.h"

namespace granary::init {
namespace {

// Two connected pairs: what is written to sender_ is forwarded to receiver_.
class FlowTest : public testing::Test {
 protected:
  FlowTest() {
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
    sender_.reset(pair[0]);
    in_.reset(pair[1]);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair);
    out_.reset(pair[0]);
    receiver_.reset(pair[1]);
    from_.fd = in_.get();
    to_.fd = out_.get();
    to_.writable = true;
  }

  void write(std::string_view bytes) {
    ASSERT_EQ(sys::send(sender_.get(), bytes), static_cast<long>(bytes.size()));
    from_.note(EPOLLIN);
  }
  std::string read() {
    std::string bytes(1 << 20, '\0');
    const long count = sys::receive(receiver_.get(), bytes);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  // Writes and pumps until the receiver's buffer is full and the flow holds something back.
  std::size_t fill() {
    const std::string part(16 * 1024, 'x');
    std::size_t total = 0;
    while (buffer_.held == 0) {
      write(part);
      total += part.size();
      flow_.pump(from_, to_);
    }
    return total;
  }

  std::array<char, kCopyBytes> scratch_;
  CopyBuffer buffer_{scratch_};
  sys::Fd sender_, in_, out_, receiver_;
  Peer from_, to_;
  Flow flow_{buffer_};
};

TEST_F(FlowTest, CopiesWhatIsThere) {
  write("hello");
  EXPECT_EQ(flow_.pump(from_, to_), Flow::Progress::Waiting);
  EXPECT_EQ(read(), "hello");
  EXPECT_FALSE(flow_.closed());
}

TEST_F(FlowTest, PassesOnTheEndAfterTheLastByte) {
  write("bye");
  sys::end_sending(sender_.get());
  from_.note(EPOLLIN | EPOLLRDHUP);
  flow_.pump(from_, to_);
  EXPECT_TRUE(flow_.closed());
  EXPECT_EQ(read(), "bye");
  char byte = 0;
  EXPECT_EQ(sys::receive(receiver_.get(), {&byte, 1}), 0);
}

TEST_F(FlowTest, ReadsNothingMoreWhileTheReceiverIsFull) {
  fill();
  const std::size_t held = buffer_.held;
  EXPECT_LE(held, kCopyBytes);
  write("more");
  EXPECT_EQ(flow_.pump(from_, to_), Flow::Progress::Waiting);
  EXPECT_EQ(buffer_.held, held);
}

TEST_F(FlowTest, LosesNothingToBackPressure) {
  const std::size_t total = fill();
  sys::end_sending(sender_.get());
  from_.note(EPOLLIN | EPOLLRDHUP);
  std::size_t received = 0;
  while (!flow_.closed() || received < total) {
    const std::size_t count = read().size();
    received += count;
    to_.note(EPOLLOUT);
    flow_.pump(from_, to_);
    ASSERT_TRUE(count > 0 || !flow_.closed() || received == total);
  }
  EXPECT_EQ(received, total);
  EXPECT_EQ(buffer_.held, 0u);
}

TEST_F(FlowTest, GivesWayToOthersAfterSomeRounds) {
  const std::string part(kCopyBytes, 'x');
  std::string received;
  write(part);
  write(part);
  buffer_.held = kHeldBudget;  // others hold all there is, so this one copies in small steps
  EXPECT_EQ(flow_.pump(from_, to_), Flow::Progress::More);
  EXPECT_EQ(read().size(), kRoundsPerTurn * kMinHeldBytes);
  buffer_.held = 0;
}

TEST_F(FlowTest, DropsWhatItHoldsWhenAbandoned) {
  fill();
  flow_.abandon();
  flow_.abandon();
  EXPECT_EQ(buffer_.held, 0u);
  EXPECT_TRUE(flow_.closed());
}

TEST_F(FlowTest, ClosesWhenTheReceiverIsGone) {
  receiver_.reset();
  write("x");
  EXPECT_EQ(flow_.pump(from_, to_), Flow::Progress::Waiting);
  EXPECT_TRUE(flow_.closed());
}

TEST(CopyBufferTest, StaysWithinItsBudgetButLeavesEachFlowItsMinimum) {
  std::array<char, kCopyBytes> scratch;
  CopyBuffer buffer{scratch};
  EXPECT_EQ(buffer.read_limit(), kCopyBytes);
  std::size_t flows = 0;
  while (buffer.read_limit() > kMinHeldBytes) {
    buffer.held += buffer.read_limit();
    ++flows;
  }
  EXPECT_LE(buffer.held, kHeldBudget);
  EXPECT_GT(flows, 60u);
  buffer.held = 2 * kHeldBudget;
  EXPECT_EQ(buffer.read_limit(), kMinHeldBytes);
}

TEST(RetryDelayTest, GrowsWithTheWaitWithinBounds) {
  using namespace std::chrono_literals;
  EXPECT_EQ(retry_delay(0ms), 1ms);
  EXPECT_EQ(retry_delay(160ms), 10ms);
  EXPECT_EQ(retry_delay(1h), 20ms);
}

TEST(PhaseTest, OnlyMovesTowardsTheEnd) {
  constexpr Phase kAll[] = {Phase::Starting, Phase::Running, Phase::Stopping, Phase::Draining,
                            Phase::Finished};
  for (const Phase from : kAll) {
    for (const Phase to : kAll) {
      if (to <= from) EXPECT_FALSE(may_follow(from, to));
    }
  }
  EXPECT_TRUE(may_follow(Phase::Starting, Phase::Finished));
  EXPECT_TRUE(may_follow(Phase::Running, Phase::Draining));
  EXPECT_FALSE(may_follow(Phase::Running, Phase::Finished));
}

}  // namespace
}  // namespace granary::init
