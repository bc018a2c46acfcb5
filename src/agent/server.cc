#include "agent/server.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "agent/limits.h"
#include "base/contained.h"
#include "base/event.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/unix_listener.h"

namespace granary::agent {

namespace asio = base::asio;
using base::Code;
using base::ErrorCode;
using base::Result;
using base::Task;
using base::json::object;

struct Server::Connection {
  explicit Connection(Protocol::socket accepted)
      : socket(std::move(accepted)), changed(socket.get_executor()) {}
  Protocol::socket socket;
  wire::Peer peer = wire::Peer::Other;
  std::size_t requests = 0;  // under way; at most kMaxRequests
  bool writing = false;      // one frame at a time
  bool broken = false;
  base::Event changed;  // requests, writing, broken
};

Server::Server(ServerOptions options, asio::any_io_executor executor, Handler& handler)
    : options_(std::move(options)),
      executor_(executor),
      handler_(handler),
      tasks_(std::move(executor)) {}

Server::~Server() = default;

Result<void> Server::start() { return listen(); }

Result<void> Server::keep() {
  if (!acceptor_ || tasks_.closing()) return {};
  const auto now = base::os::file_stamp(options_.path);
  if (now && now->device == own_.device && now->inode == own_.inode) return {};
  base::log::warn("{} was removed or replaced; it is made anew", options_.path);
  TRY(base::os::make_folders(options_.path.substr(0, options_.path.rfind('/')), 0711));
  ErrorCode ignored;
  acceptor_->close(ignored);  // ends its accept()
  return listen();
}

Result<void> Server::listen() {
  const base::os::Ownership owner{base::os::own_uid(), base::os::own_gid()};
  TRY_ASSIGN(base::os::Fd listener,
             base::os::listen_unix(options_.path, {.mode = 0666, .owner = owner, .backlog = 64}));
  TRY_ASSIGN(own_, base::os::file_stamp(options_.path));
  acceptor_.emplace(executor_, Protocol(), listener.release());
  (void)tasks_.spawn("agent socket", accept());
  return {};
}

wire::Peer Server::peer_of(std::uint32_t uid) const {
  if (uid == 0 || uid == options_.control_uid) return wire::Peer::Control;
  if (uid == options_.gateway_uid) return wire::Peer::Gateway;
  return wire::Peer::Other;
}

void Server::welcome(Connection& connection) const {
  const auto peer = base::os::peer_identity(connection.socket.native_handle());
  if (!peer) return;  // stays Other
  connection.peer = peer_of(peer->uid);
  if (options_.on_connection) options_.on_connection(connection.peer, peer->pid);
}

Task<void> Server::accept() {
  for (;;) {
    ErrorCode error;
    Protocol::socket socket(executor_);
    co_await acceptor_->async_accept(socket, base::into(error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      base::log::warn("accepting a connection: {}", error.message());
      continue;
    }
    if (connections_ >= kMaxConnections) continue;  // closed by its destruction
    auto connection = std::make_shared<Connection>(std::move(socket));
    welcome(*connection);
    (void)tasks_.spawn("agent connection", read(std::move(connection)));
  }
}

Task<Result<object>> Server::read_frame(std::shared_ptr<Connection> connection) {
  ErrorCode error;
  std::string head(wire::kFrameHead, '\0');
  co_await asio::async_read(connection->socket, asio::buffer(head), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "reading a request"));
  CO_TRY_ASSIGN(const std::size_t length, wire::decode_head(head));
  std::string body(length, '\0');
  co_await asio::async_read(connection->socket, asio::buffer(body), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "reading a request"));
  co_return wire::decode_body(body);
}

Task<void> Server::read(std::shared_ptr<Connection> connection) {
  ++connections_;
  while (!connection->broken) {
    Result<object> frame = co_await read_frame(connection);
    if (!frame) {
      const bool gone =
          frame.error().code == Code::Unavailable || frame.error().code == Code::Cancelled;
      if (!gone) base::log::warn("a bad request: {}", base::log::escape(frame.error().message));
      break;
    }
    const std::int64_t id = base::json::get_int_or(*frame, "id", 0).value_or(0);
    auto request = wire::decode_request(std::move(*frame));
    if (!request) {
      co_await send(connection,
                    wire::encode_answer(id, std::unexpected(wire::AgentError{request.error(), 0})));
      continue;
    }
    ++connection->requests;
    if (!tasks_.spawn("agent request", answer(connection, std::move(*request)))) break;
    while (connection->requests >= kMaxRequests && !connection->broken) {
      if (!co_await connection->changed.wait()) break;
    }
  }
  --connections_;
}

// A request that meets a fault of ours is answered like any other that fails.
Task<wire::AgentResult<object>> Server::contained_answer(wire::Peer peer, wire::Request request) {
  std::exception_ptr thrown;
  try {
    co_return co_await handler_.handle(peer, std::move(request));
    // tidy: allow(catch-all): the root of one request, which is answered whatever leaves its work
  } catch (...) {
    thrown = std::current_exception();
  }
  base::Error error = base::error_of(thrown);
  if (error.code != Code::Cancelled) base::log::error("a request: {}", describe(error));
  co_return std::unexpected(wire::AgentError{std::move(error), 0});
}

Task<void> Server::answer(std::shared_ptr<Connection> connection, wire::Request request) {
  const std::int64_t id = request.id;
  const auto result = co_await contained_answer(connection->peer, std::move(request));
  co_await send(connection, wire::encode_answer(id, result));
  --connection->requests;
  connection->changed.notify_all();
}

Task<void> Server::send(std::shared_ptr<Connection> connection, std::string frame) {
  while (connection->writing && !connection->broken) {
    if (!co_await connection->changed.wait()) co_return;
  }
  if (connection->broken) co_return;
  connection->writing = true;
  ErrorCode error;
  co_await asio::async_write(connection->socket, asio::buffer(frame), base::into(error));
  connection->writing = false;
  if (error) {
    connection->broken = true;
    ErrorCode ignored;
    connection->socket.close(ignored);  // wakes its reader
  }
  connection->changed.notify_all();
}

Task<void> Server::close() {
  if (acceptor_) {
    (void)base::os::remove_file(options_.path);
    ErrorCode ignored;
    acceptor_->close(ignored);
  }
  co_await tasks_.close();
  acceptor_.reset();
}

}  // namespace granary::agent
