// A whole gateway under test: real sockets in a temporary folder, a virtual clock, fake silos and a
// fake agent, all on one io_context that the test drives. Nothing sleeps: wait_for() runs the
// sockets until something holds, advance() moves the clock. Single-threaded.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/os/file.h"
#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"
#include "gateway/gateway.h"
#include "gateway/testing/fake_agent.h"
#include "gateway/testing/fake_silo.h"
#include "wire/activity_board.h"
#include "wire/routing.h"

namespace granary::gateway::testing {

struct Answer {
  int status = 0;  // 0: the connection ended before a whole head
  std::string head;
  std::string body;
  bool whole = false;
  // The field's value; empty where there is none.
  std::string field(std::string_view name) const;
};

class GatewayWorld;

// The world's clock, with a fault of ours in it when the test says so.
class BreakableClock final : public base::Clock {
 public:
  explicit BreakableClock(const base::Clock& clock) : clock_(clock) {}
  base::WallTime wall() const override { return clock_.wall(); }
  base::BootTime boot() const override {
    INVARIANT(looks_left_ < 0 || looks_left_-- > 0);
    return clock_.boot();
  }
  // The one after so many looks throws, and no other.
  void break_after(int looks) { looks_left_ = looks; }
  bool has_broken() const { return looks_left_ < 0; }

 private:
  const base::Clock& clock_;
  mutable int looks_left_ = -1;
};

// A client that sends exactly the bytes it is told to.
class TestClient final {
 public:
  TestClient(GatewayWorld& world, std::uint16_t port);

  void send(std::string_view bytes);
  enum class Expect { Body, NoBody };
  // The next answer. Interim ones too.
  Answer answer(Expect expect = Expect::Body);
  Answer get(std::string_view path, std::string_view host = "acme.localhost",
             std::string_view fields = "");
  // Until that many bytes are here, or the connection ended.
  std::string read(std::size_t count);
  // Whether the gateway ended the connection, nothing being left to read.
  bool ended();
  void say_all() { socket_.shutdown(base::asio::socket_base::shutdown_send); }
  // Without a word: the peer gets a reset.
  void vanish();
  // Takes what is there; over() when the connection ended.
  void poll() { pull(); }
  bool over() const { return over_; }
  std::string& inbox() { return inbox_; }
  base::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  bool pull();
  void settle_body(Answer& answer, Expect expect);

  GatewayWorld& world_;
  base::asio::ip::tcp::socket socket_;
  std::string inbox_;
  bool over_ = false;
};

class GatewayWorld final {
 public:
  static constexpr std::uint32_t kSlot = 7;  // of acme's api

  GatewayWorld();
  ~GatewayWorld();

  // acme, with the service api at /api/ and a frontend at all else; globex likewise; gone,
  // suspended. In domain localhost.
  wire::Snapshot snapshot() const;
  void publish(const wire::Snapshot& snapshot) const;
  // Opens and runs it, and waits until it has a snapshot.
  void start();
  // As start(), without a snapshot.
  void open();
  void stop();

  // acme's api runs: it listens, and the board says so.
  void wake_silo(std::uint32_t epoch = 1) const;

  // The agent is there, and the gateway has found it.
  void start_agent();

  void wait_for(const std::function<bool()>& holds, std::string_view what);
  void advance(std::chrono::nanoseconds by);
  void settle() { world.settle(); }

  std::unique_ptr<TestClient> connect();
  std::unique_ptr<TestClient> connect_tls();  // to its port, without a handshake
  wire::BoardSlot& slot(std::uint32_t number = kSlot) const { return board->slot(number); }
  std::string access_log(const std::string& account) const;

  base::testing::World world;
  BreakableClock clock{world.clock};
  base::testing::TemporaryFolder folder;
  GatewayOptions options{.paths = wire::Paths(folder.path())};
  base::os::InheritedFds inherited;  // for open()
  std::unique_ptr<wire::ActivityBoard> board;
  std::unique_ptr<FakeSilo> silo;        // acme's api
  std::unique_ptr<FakeSilo> other_silo;  // globex's
  std::unique_ptr<FakeAgent> agent;
  std::unique_ptr<Gateway> gateway;
  bool running = false;
};

}  // namespace granary::gateway::testing
