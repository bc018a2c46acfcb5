// The way out of a silo: what it finds inside when its release declares egress, and that nothing
// of it is there otherwise. The other end is played by a thread of the test.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "agent/testing/host_fixture.h"
#include "base/os/file.h"
#include "base/os/unix_listener.h"

namespace granary::agent {
namespace {

using base::os::Fd;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::uint64_t kDisk = 32ULL << 20;

constexpr const char* kAsk = R"(
import errno, os, socket
for name in ('HTTPS_PROXY', 'http_proxy', 'NO_PROXY'):
    print(name, os.environ.get(name))
print('run', sorted(os.listdir('/run')))
def ask(text):
    try:
        with socket.create_connection(('127.0.0.1', 3128), 5) as s:
            s.sendall(text)
            s.shutdown(socket.SHUT_WR)
            return b''.join(iter(lambda: s.recv(100), b''))
    except OSError as e:
        return errno.errorcode[e.errno]
)";

// Answers each connection with its peer's user and what it said, until it is told to end.
class Outside final {
 public:
  explicit Outside(const wire::Paths& paths) {
    auto listener = base::os::listen_unix(paths.egress_socket(), {.mode = 0666});
    EXPECT_TRUE(listener.has_value()) << describe(listener.error());
    listener_ = std::move(*listener);
    thread_ = std::thread([this] { serve(); });
  }
  ~Outside() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // wakes accept()
    thread_.join();
  }

 private:
  void serve() {
    for (;;) {
      const Fd client(::accept(listener_.get(), nullptr, nullptr));
      if (!client) return;
      const auto peer = base::os::peer_identity(client.get());
      std::string text = fmt::format("{} said ", peer ? peer->uid : 0);
      char block[100];
      for (ssize_t got = 0; (got = ::read(client.get(), block, sizeof block)) > 0;)
        text.append(block, static_cast<std::size_t>(got));
      (void)!::write(client.get(), text.data(), text.size());
    }
  }
  Fd listener_;
  std::thread thread_;
};

class EgressRootTest : public HostFixture {
 protected:
  void SetUp() override {
    HostFixture::SetUp();
    if (!launcher_) return;
    ASSERT_TRUE(base::os::make_folders(paths_.egress_run(), 0711).has_value());
    make_account("acme", kDisk);
  }
};

TEST_F(EgressRootTest, ASiloThatDeclaresEgressReachesTheProxyAsItsOwnUserOnItsLoopback) {
  const Outside outside(paths_);
  egress_ = true;
  const std::string text = run_inside("acme", std::string(kAsk) + "print(ask(b'hello'))");
  EXPECT_THAT(text, HasSubstr(fmt::format("b'{} said hello'", kUid)));
  EXPECT_THAT(text, HasSubstr("HTTPS_PROXY http://127.0.0.1:3128"));
  EXPECT_THAT(text, HasSubstr("http_proxy http://127.0.0.1:3128"));
  EXPECT_THAT(text, HasSubstr("NO_PROXY localhost,127.0.0.1"));
  EXPECT_THAT(text, HasSubstr("run ['config.json', 'egress', "));
}

TEST_F(EgressRootTest, WhileTheProxyIsAwayConnectionsAreClosedAndWithTheNextOneTheyWorkAgain) {
  egress_ = true;
  {
    const Outside first(paths_);
  }
  auto door = doors_.open(plan_for("acme", "").service);
  ASSERT_TRUE(door.has_value());
  SiloPlan plan = plan_for("acme", make_release(std::string(kAsk) + http_app("ask(b'x')")));
  plan.listener = door->get();
  auto silo = run(launcher_->start(plan));
  ASSERT_TRUE(silo.has_value()) << describe(silo.error());
  EXPECT_THAT(ask(plan.service, "1"), AnyOf("b''", "ECONNRESET", "ENOTCONN"));
  {
    const Outside second(paths_);  // another socket of the same name, seen by the same silo
    EXPECT_THAT(ask(plan.service, "2"), HasSubstr("said x"));
  }
  EXPECT_THAT(ask(plan.service, "3"), AnyOf("b''", "ECONNRESET", "ENOTCONN"));
  (void)run(launcher_->clean_up(plan.service));
  doors_.close(plan.service, std::move(*door));
}

TEST_F(EgressRootTest, ASiloThatDeclaresNoneFindsNothingOfIt) {
  const Outside outside(paths_);
  const std::string text = run_inside("acme", std::string(kAsk) + "print(ask(b'hello'))");
  EXPECT_THAT(text, HasSubstr("ECONNREFUSED"));
  EXPECT_THAT(text, HasSubstr("HTTPS_PROXY None"));
  EXPECT_THAT(text, Not(HasSubstr("egress")));
}

TEST_F(EgressRootTest, WhatTheAppSentBeforeItEndedStillGoesOut) {
  egress_ = true;
  std::string heard;
  {
    auto listener = base::os::listen_unix(paths_.egress_socket(), {.mode = 0666});
    ASSERT_TRUE(listener.has_value());
    (void)run_inside("acme", R"(
import os, socket
s = socket.create_connection(('127.0.0.1', 3128), 5)
s.sendall(b'last words')
os._exit(0)
)");
    const Fd client(::accept(listener->get(), nullptr, nullptr));
    char block[100];
    for (ssize_t got = 0; (got = ::read(client.get(), block, sizeof block)) > 0;)
      heard.append(block, static_cast<std::size_t>(got));
  }
  EXPECT_EQ(heard, "last words");
}

}  // namespace
}  // namespace granary::agent
