#include <gtest/gtest.h>

#include "base/os/tcp_listener.h"
#include "base/os/unix_listener.h"
#include "gateway/testing/gateway_world.h"

namespace granary::gateway {
namespace {

using testing::GatewayWorld;

// Does nothing until it is told to, and from then on everything at once.
class HeldWorker final : public base::Worker {
 public:
  void post(std::move_only_function<void()> work) override {
    if (held_)
      waiting_.push_back(std::move(work));
    else
      work();
  }
  void go_on() {
    held_ = false;
    for (auto& work : waiting_) work();
  }

 private:
  bool held_ = true;
  std::vector<std::move_only_function<void()>> waiting_;
};

class GatewayListenerTest : public ::testing::Test {
 protected:
  static base::os::Fd listener() {
    return std::move(base::os::listen_tcp("127.0.0.1", 0, 16).value());
  }
  static std::uint16_t port(const base::os::Fd& socket) {
    base::asio::io_context context;
    base::asio::ip::tcp::acceptor other(context, base::asio::ip::tcp::v4(), ::dup(socket.get()));
    return other.local_endpoint().port();
  }
  // open() alone, of a gateway that is not run.
  base::Result<void> tried() {
    Gateway gateway(
        world_.world.context, world_.options,
        {world_.world.clock, world_.world.timer, world_.world.rng, world_.world.worker});
    auto opened = gateway.open(world_.inherited);
    world_.world.run(gateway.close());
    return opened;
  }

  GatewayWorld world_;
};

TEST_F(GatewayListenerTest, ServesOnTheSocketsThatItInherits) {
  base::os::Fd http = listener();
  const base::os::Fd kept(::dup(http.get()));  // as `up` keeps it
  world_.inherited.emplace(kHttpListener, std::move(http));
  world_.start();
  EXPECT_EQ(world_.gateway->listening().port, port(kept));
  EXPECT_TRUE(world_.inherited.empty());
  world_.wake_silo();
  EXPECT_EQ(world_.connect()->get("/api/").status, 200);
}

TEST_F(GatewayListenerTest, WhatConnectedWhileItWasAwayIsServedByTheNext) {
  const base::os::Fd kept = listener();
  world_.inherited.emplace(kHttpListener, base::os::Fd(::dup(kept.get())));
  world_.start();
  world_.stop();
  testing::TestClient early(world_, port(kept));
  early.send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.inherited.emplace(kHttpListener, base::os::Fd(::dup(kept.get())));
  world_.wake_silo();
  world_.start();
  EXPECT_EQ(early.answer().status, 200);
}

TEST_F(GatewayListenerTest, NobodyIsServedBeforeWhatIsPublishedWasLookedAt) {
  HeldWorker worker;
  world_.publish(world_.snapshot());
  world_.wake_silo();
  Gateway gateway(world_.world.context, world_.options,
                  {world_.world.clock, world_.world.timer, world_.world.rng, worker});
  const base::os::Fd kept = listener();
  world_.inherited.emplace(kHttpListener, base::os::Fd(::dup(kept.get())));
  ASSERT_TRUE(gateway.open(world_.inherited).has_value());
  boost::asio::co_spawn(world_.world.context, gateway.run(),
                        [](const std::exception_ptr& failure) { ASSERT(!failure); });
  testing::TestClient early(world_, port(kept));
  early.send("GET /api/ HTTP/1.1\r\nHost: acme.localhost\r\n\r\n");
  world_.settle();
  EXPECT_TRUE(base::os::connections_queued(kept.get()));
  worker.go_on();
  EXPECT_EQ(early.answer().status, 200);
  world_.world.run(gateway.close());
}

TEST_F(GatewayListenerTest, WhereNothingIsPublishedThatIsSaid) {
  world_.open();
  EXPECT_EQ(world_.connect()->get("/api/").status, 503);
}

TEST_F(GatewayListenerTest, TheAdminListenerIsInheritedLikewise) {
  base::os::Fd admin = listener();
  const std::uint16_t expected = port(admin);
  world_.options.admin = Endpoint{"127.0.0.1", 0};
  world_.inherited.emplace(kAdminListener, std::move(admin));
  world_.start();
  EXPECT_EQ(world_.gateway->admin_listening()->port, expected);
  EXPECT_NE(world_.gateway->listening().port, expected);
}

TEST_F(GatewayListenerTest, ASocketThatItHasNoUseForIsAnError) {
  world_.inherited.emplace(kAdminListener, listener());  // no admin endpoint is configured
  const auto opened = tried();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, base::Code::InvalidArgument);
  EXPECT_NE(opened.error().message.find("'admin'"), std::string::npos);
}

TEST_F(GatewayListenerTest, ADescriptorThatDoesNotListenIsAnError) {
  world_.inherited.emplace(kHttpListener,
                           base::os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  EXPECT_EQ(tried().error().code, base::Code::InvalidArgument);
}

}  // namespace
}  // namespace granary::gateway
