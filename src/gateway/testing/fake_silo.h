// A silo as the gateway sees it: a unix socket that speaks HTTP/1.1 as scripted, records what it
// was asked, and can die at any moment. Real sockets, on the test's io_context; one thread.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/task_group.h"
#include "base/testing/pieces.h"

namespace granary::gateway::testing {

class FakeSilo final {
 public:
  // What is done with one request.
  struct Reply {
    std::string bytes;
    enum class Then { Keep, Close, Echo } then = Then::Keep;
    base::testing::Cuts cuts = {};  // of `bytes`: a piece is sent once the one before was read
  };
  using Script = std::function<Reply(const std::string& request)>;

  // Answers 200 "hello" until told otherwise.
  FakeSilo(base::asio::io_context& context, std::string path);
  ~FakeSilo();  // asserts that stop() was waited for

  // Listens; the socket file appears.
  void start();
  // Nobody listens any more and all connections end, as when the process is killed.
  void die();
  base::Task<void> stop();

  void script(Script script) { script_ = std::move(script); }
  // Requests are read but not answered, until release().
  void hold() { held_ = true; }
  void release();
  // Says this on each of its connections, without having been asked.
  void say(std::string_view bytes);
  // Connections are accepted, but nothing is read until release().
  void stop_reading() { deaf_ = true; }
  // A request is answered when its head is there, and the connection closed at once: what of its
  // body comes is not read.
  void answer_early() { early_ = true; }

  const std::vector<std::string>& requests() const { return requests_; }
  int connections() const { return connections_; }
  std::size_t open_connections() const { return open_.size(); }

  static std::string ok(std::string_view body, std::string_view fields = "");

 private:
  using Local = base::asio::local::stream_protocol;
  base::Task<void> accept();
  base::Task<void> serve(std::shared_ptr<Local::socket> socket);
  base::Task<bool> read_request(Local::socket& socket, std::string& inbox, std::string& request);
  static base::Task<void> answer(Local::socket& socket, const Reply& reply, base::ErrorCode& error);
  base::Task<void> echo(Local::socket& socket, std::string early);

  base::asio::io_context& context_;
  std::string path_;
  std::unique_ptr<Local::acceptor> acceptor_;
  // Shared by serve() and the list that die() closes them through.
  std::list<std::weak_ptr<Local::socket>> sockets_;
  std::list<int> open_;
  base::TaskGroup tasks_;
  base::Event released_;
  Script script_;
  std::vector<std::string> requests_;
  int connections_ = 0;
  bool held_ = false;
  bool deaf_ = false;
  bool early_ = false;
};

}  // namespace granary::gateway::testing
