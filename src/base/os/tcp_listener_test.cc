#include "base/os/tcp_listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/os/unix_listener.h"
#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

class TcpListenerTest : public ::testing::Test {
 protected:
  std::uint16_t port(const Fd& listener) {
    Tcp::acceptor acceptor(context_, Tcp::v4(), ::dup(listener.get()));
    return acceptor.local_endpoint().port();
  }
  asio::io_context context_;
};

TEST_F(TcpListenerTest, TakesConnectionsBeforeAnybodyAccepts) {
  const auto listener = listen_tcp("127.0.0.1", 0, 8);
  ASSERT_TRUE(listener.has_value());
  Tcp::socket client(context_);
  client.connect(Tcp::endpoint(asio::ip::address_v4::loopback(), port(*listener)));
  EXPECT_TRUE(connections_queued(listener->get()));
}

TEST_F(TcpListenerTest, AnAddressThatIsTakenIsAConflictAndIsNamed) {
  const auto first = listen_tcp("127.0.0.1", 0, 8);
  const auto second = listen_tcp("127.0.0.1", port(*first), 8);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Code::Conflict);
  EXPECT_NE(second.error().message.find(fmt::format("127.0.0.1:{}", port(*first))),
            std::string::npos);
}

TEST_F(TcpListenerTest, ANameIsNoAddress) {
  EXPECT_EQ(listen_tcp("localhost", 0, 8).error().code, Code::InvalidArgument);
}

TEST_F(TcpListenerTest, ItsVersionIsKnownAndWhatIsNoListenerIsRefused) {
  const auto four = listen_tcp("127.0.0.1", 0, 8);
  EXPECT_EQ(tcp_listener_version(four->get()), IpVersion::V4);
  if (const auto six = listen_tcp("::1", 0, 8)) {
    EXPECT_EQ(tcp_listener_version(six->get()), IpVersion::V6);
  }
  const granary::base::testing::TemporaryFolder folder;
  const auto by_path = listen_unix(folder / "socket", {.owner = {::getuid(), ::getgid()}});
  EXPECT_EQ(tcp_listener_version(by_path->get()).error().code, Code::InvalidArgument);
  const Fd idle(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(tcp_listener_version(idle.get()).error().code, Code::InvalidArgument);
  EXPECT_FALSE(tcp_listener_version(-1).has_value());
}

}  // namespace
}  // namespace granary::base::os
