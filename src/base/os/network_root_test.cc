#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/os/child.h"
#include "base/os/network.h"
#include "base/os/unix_listener.h"
#include "base/os/unix_socket.h"
#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

const auto kWell = ::testing::ExitedWithCode(0);
[[noreturn]] void end(bool well) { ::_exit(well ? 0 : 1); }

// What connect() on this socket says of an abstract name, as an app would ask it.
int ask(int socket, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, sizeof address.sun_path - 2);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) == 0 ? 0 : errno;
}

class NetworkRootTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_root()) GTEST_SKIP() << "needs root, to make network namespaces";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, sizeof address.sun_path - 2);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    ASSERT_EQ(::bind(taken_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    ASSERT_EQ(::listen(taken_.get(), 8), 0);
  }
  Fd door() const { return std::move(listen_unix(folder_ / "door", {}).value()); }

  granary::base::testing::TemporaryFolder folder_;
  std::string name_ = fmt::format("granary-network-test-{}", ::getpid());
  Fd taken_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};  // an abstract socket of the host
};

TEST_F(NetworkRootTest, AListenerMadeOutsideOfTheHostsNetworkTellsNothingOfIt) {
  EXPECT_EXIT(
      {
        const bool told = ask(door().get(), name_) != ask(door().get(), name_ + "-none");
        const bool left = leave_network().has_value();
        end(told && left && ask(door().get(), name_) == ECONNREFUSED &&
            ask(door().get(), name_ + "-none") == ECONNREFUSED);
      },
      kWell, "");
}

TEST_F(NetworkRootTest, SoDoesWhatIsAcceptedFromWhoIsOutsideOfIt) {
  EXPECT_EXIT(
      {
        const Fd listener = door();
        const bool left = leave_network().has_value();
        const auto client = connect_unix(folder_ / "door");  // paths work from anywhere
        const Fd accepted(::accept(listener.get(), nullptr, nullptr));
        // In use already, or unknown: the difference is what would be told.
        end(left && client && client->outcome == Connecting::Done && accepted &&
            ask(listener.get(), name_) != ECONNREFUSED &&
            ask(accepted.get(), name_) == ECONNREFUSED);
      },
      kWell, "");
}

TEST_F(NetworkRootTest, AChildHasNoNetworkWhereItIsToHaveNone) {
  asio::io_context context;
  const std::string script =
      "test \"$(grep -c : /proc/self/net/dev)\" = 1 && test \"$(readlink /proc/self/ns/net)\" != " +
      fmt::format("\"$(readlink /proc/{}/ns/net)\"", ::getpid());
  for (const auto network : {ChildOptions::Network::None, ChildOptions::Network::Shared}) {
    const auto child = Child::start(context.get_executor(),
                                    {.argv = {"/bin/sh", "-c", script}, .network = network});
    ASSERT_TRUE(child.has_value()) << describe(child.error());
    int code = -1;
    asio::co_spawn(context, (*child)->wait(),
                   [&](const std::exception_ptr&, const Result<int>& ended) { code = *ended; });
    context.restart();
    context.run();
    EXPECT_EQ(code == 0, network == ChildOptions::Network::None);
  }
}

}  // namespace
}  // namespace granary::base::os
