#include "base/os/unix_socket.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <vector>

#include "base/os/file.h"
#include "base/testing/temporary_folder.h"

namespace granary::base::os {
namespace {

namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

class UnixSocketTest : public ::testing::Test {
 protected:
  asio::io_context context_;
  granary::base::testing::TemporaryFolder folder_;
};

TEST_F(UnixSocketTest, NobodyListensWhereThereIsNoSocketOrNoHolder) {
  EXPECT_EQ(connect_unix(folder_ / "none").value().outcome, Connecting::NobodyListens);
  {
    Local::acceptor left(context_, Local::endpoint(folder_ / "left"));
  }
  EXPECT_EQ(connect_unix(folder_ / "left").value().outcome, Connecting::NobodyListens);
  EXPECT_EQ(connect_unix((folder_ / "no") + "/folder/s").value().outcome,
            Connecting::NobodyListens);
}

TEST_F(UnixSocketTest, AFullQueueIsBusyAndNotMistakenForAConnection) {
  Local::acceptor full(context_);
  full.open();
  full.bind(Local::endpoint(folder_ / "full"));
  full.listen(0);
  std::vector<Fd> held;
  for (int i = 0; i < 8; ++i) {
    auto tried = connect_unix(folder_ / "full");
    ASSERT_TRUE(tried.has_value());
    if (tried->outcome == Connecting::Busy) return;
    held.push_back(std::move(tried->fd));
  }
  FAIL() << "the queue took " << held.size() << " connections";
}

TEST_F(UnixSocketTest, APathLongerThanAnAddressIsReached) {
  const std::string deep = folder_ / std::string(100, 'd');
  ASSERT_TRUE(make_folders(deep, 0700).has_value());
  Local::acceptor listener(context_, Local::endpoint(folder_ / "short"));
  ASSERT_TRUE(rename_file(folder_ / "short", deep + "/api.sock").has_value());
  EXPECT_EQ(connect_unix(deep + "/api.sock").value().outcome, Connecting::Done);
  EXPECT_EQ(connect_unix(deep + "/other.sock").value().outcome, Connecting::NobodyListens);
}

TEST_F(UnixSocketTest, WhatThePeerHasNotReadIsCounted) {
  Local::acceptor listener(context_, Local::endpoint(folder_ / "s"));
  const Fd client = std::move(connect_unix(folder_ / "s").value().fd);
  ASSERT_EQ(::write(client.get(), "hello", 5), 5);
  EXPECT_GT(unread_by_peer(client.get()).value(), 0U);
  Local::socket server(context_);
  listener.accept(server);
  char bytes[8];
  EXPECT_EQ(server.read_some(asio::buffer(bytes)), 5U);
  EXPECT_EQ(unread_by_peer(client.get()).value(), 0U);
}

}  // namespace
}  // namespace granary::base::os
