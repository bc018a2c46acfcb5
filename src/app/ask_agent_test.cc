#include "app/ask_agent.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/os/unix_listener.h"
#include "base/testing/temporary_folder.h"

namespace granary::app {
namespace {

using namespace std::chrono_literals;
using base::Code;
using base::Result;

class AskAgentTest : public ::testing::Test {
 protected:
  Result<void> ask(std::chrono::milliseconds deadline) {
    base::asio::io_context context(1);
    Result<void> answer = base::fail(Code::Internal, "never asked");
    base::asio::co_spawn(context, ask_agent(folder_ / "agent.sock", deadline),
                         [&](const std::exception_ptr& failure, Result<void> result) {
                           if (failure) std::rethrow_exception(failure);
                           answer = std::move(result);
                         });
    context.run();
    return answer;
  }
  base::testing::TemporaryFolder folder_;
};

TEST_F(AskAgentTest, WhereNobodyListensThatIsSaidWithoutThePath) {
  const auto answer = ask(10s);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, Code::Unavailable);
  EXPECT_EQ(answer.error().message.find(folder_.path()), std::string::npos);
}

// As one that was stopped: the kernel takes the connection for it.
TEST_F(AskAgentTest, OneThatIsThereAndSilentIsGivenUp) {
  const auto listener = base::os::listen_unix(
      folder_ / "agent.sock", {.mode = 0600, .owner = {::getuid(), ::getgid()}, .backlog = 4});
  ASSERT_TRUE(listener.has_value());
  EXPECT_EQ(ask(20ms).error().code, Code::Deadline);
}

}  // namespace
}  // namespace granary::app
