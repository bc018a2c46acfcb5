// A whole egress proxy under test: real sockets in a temporary folder and on loopback, a virtual
// clock, a resolver that answers what the test says. All on one io_context that the test drives.
// Nothing sleeps: wait_for() runs the sockets until something holds, advance() moves the clock.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/testing/temporary_folder.h"
#include "base/testing/world.h"
#include "egress/proxy.h"

namespace granary::egress::testing {

// Answers from a list for each name, the last one again and again. Names it does not know are not
// found, but for "silent.example", which is never answered.
class FakeResolver final : public Resolver {
 public:
  explicit FakeResolver(base::asio::any_io_executor executor) : never_(executor) {}
  void set(const std::string& host, std::vector<Addresses> answers) { answers_[host] = answers; }
  base::Task<base::Result<Addresses>> resolve(std::string host) override;

  int asked = 0;
  std::size_t waiting = 0;

 private:
  std::map<std::string, std::vector<Addresses>> answers_;
  base::Event never_;
};

class EgressWorld;

// One end of a connection, which does exactly what it is told to.
template <class Socket>
class End final {
 public:
  End(EgressWorld& world, Socket socket) : world_(world), socket_(std::move(socket)) {
    socket_.non_blocking(true);
  }
  void send(std::string_view bytes);
  // As much as is taken without anybody reading.
  std::size_t send_until_full();
  std::string read(std::size_t count);
  std::string read_all();
  void say_all() { socket_.shutdown(base::asio::socket_base::shutdown_send); }
  void close() { socket_.close(); }

 private:
  bool pull();
  EgressWorld& world_;
  Socket socket_;
  std::string inbox_;
  bool over_ = false;
};
using App = End<ClientSocket>;
using Server = End<RemoteSocket>;

class EgressWorld {
 public:
  EgressWorld();
  ~EgressWorld();

  // The policy: acme, whose user is that of the test, may connect to these.
  void allow(std::vector<std::string> targets) const;
  void publish(const wire::EgressPolicy& policy) const;
  void start();
  void stop();

  App app();
  // An app that has asked for "HOST:port of outside", and what it was answered so far.
  App ask(const std::string& target);
  App ask_outside(const std::string& host) { return ask(target(host)); }
  std::string target(const std::string& host) const;
  // The next connection that arrives outside.
  Server accept();
  bool nobody_came();

  std::string log();
  std::string usage();

  void wait_for(const std::function<bool()>& condition, std::string_view what);
  void advance(std::chrono::nanoseconds by) { world.advance(by); }

  base::testing::World world;
  base::testing::TemporaryFolder folder;
  wire::Paths paths{folder.path()};
  FakeResolver resolver{world.executor()};
  std::vector<Network> permitted = {Network::parse("127.0.0.1/32").value()};
  std::vector<Address> own;
  std::unique_ptr<Proxy> proxy;
  std::uint32_t uid_base;
  std::optional<std::uint32_t> control_uid;

 private:
  base::asio::ip::tcp::acceptor outside_;
};

inline const std::string kConnected = "HTTP/1.1 200 Connection established\r\n\r\n";
std::string connect_to(const std::string& target);

template <class Socket>
void End<Socket>::send(std::string_view bytes) {
  world_.wait_for(
      [&] {
        base::ErrorCode error;
        bytes.remove_prefix(socket_.write_some(base::asio::buffer(bytes), error));
        return bytes.empty() || (error && error != base::asio::error::would_block);
      },
      "bytes to be taken");
}

template <class Socket>
std::size_t End<Socket>::send_until_full() {
  const std::string block(64U << 10, 'x');
  std::size_t sent = 0;
  for (int idle = 0; idle < 50;) {
    base::ErrorCode error;
    const std::size_t now = socket_.write_some(base::asio::buffer(block), error);
    sent += now;
    idle = now == 0 ? idle + 1 : 0;
    world_.world.settle();
  }
  return sent;
}

template <class Socket>
bool End<Socket>::pull() {
  char bytes[65536];
  base::ErrorCode error;
  const std::size_t got = socket_.read_some(base::asio::buffer(bytes), error);
  inbox_.append(bytes, got);
  if (error && error != base::asio::error::would_block) over_ = true;
  return over_;
}

template <class Socket>
std::string End<Socket>::read(std::size_t count) {
  world_.wait_for([&] { return pull() || inbox_.size() >= count; }, "bytes");
  const std::string bytes = inbox_.substr(0, count);
  inbox_.erase(0, bytes.size());
  return bytes;
}

template <class Socket>
std::string End<Socket>::read_all() {
  world_.wait_for([&] { return pull(); }, "the connection's end");
  return std::exchange(inbox_, {});
}

}  // namespace granary::egress::testing
