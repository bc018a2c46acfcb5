// The agent's unix socket: connections, frames, who is at the other end. Knows the protocol's form
// and none of its verbs. Lives on the agent's executor.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/os/file.h"
#include "base/task_group.h"
#include "wire/agent_protocol.h"

namespace granary::agent {

class Handler {
 public:
  virtual ~Handler() = default;
  virtual base::Task<wire::AgentResult<base::json::object>> handle(wire::Peer peer,
                                                                   wire::Request request) = 0;
};

struct ServerOptions {
  std::string path;
  std::uint32_t control_uid = 0;
  std::uint32_t gateway_uid = 0;
  std::function<void(wire::Peer, int pid)> on_connection = {};
};

class Server final {
 public:
  // `handler` must outlive the server.
  Server(ServerOptions options, base::asio::any_io_executor executor, Handler& handler);
  ~Server();

  // Anybody may connect; what they may ask for depends on who they are.
  base::Result<void> start();
  // Makes the socket anew where its name was removed or is another's by now; connections go on. To
  // be called now and then. Errors: of the system; the next call tries again.
  base::Result<void> keep();
  // Refuses, cancels, joins; removes the socket's name. Idempotent.
  base::Task<void> close();

 private:
  struct Connection;
  using Protocol = base::asio::local::stream_protocol;

  base::Result<void> listen();
  base::Task<void> accept();
  base::Task<void> read(std::shared_ptr<Connection> connection);
  base::Task<base::Result<base::json::object>> read_frame(std::shared_ptr<Connection> connection);
  base::Task<void> answer(std::shared_ptr<Connection> connection, wire::Request request);
  base::Task<wire::AgentResult<base::json::object>> contained_answer(wire::Peer peer,
                                                                     wire::Request request);
  base::Task<void> send(std::shared_ptr<Connection> connection, std::string frame);
  wire::Peer peer_of(std::uint32_t uid) const;
  void welcome(Connection& connection) const;

  ServerOptions options_;
  base::asio::any_io_executor executor_;
  Handler& handler_;
  std::optional<Protocol::acceptor> acceptor_;
  base::os::FileStamp own_;  // of the socket's name, while there is an acceptor
  std::size_t connections_ = 0;
  base::TaskGroup tasks_;
};

}  // namespace granary::agent
