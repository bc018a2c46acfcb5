#include "cloud/host/agent_client.h"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "cloud/host/limits.h"

namespace granary::cloud::host {

using base::Code;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Task;
using base::json::object;

struct AgentClient::Connection {
  explicit Connection(const base::asio::any_io_executor& executor)
      : socket(executor), writable(executor) {}
  Socket socket;
  base::Event writable;
  bool writing = false;  // one frame at a time; others wait for `writable`
  bool broken = false;
};

struct AgentClient::Pending {
  explicit Pending(const base::asio::any_io_executor& executor) : settled(executor) {}
  std::optional<Result<object>> answer;
  std::chrono::seconds age{0};
  std::chrono::seconds deadline{kCallDeadline};
  base::Event settled;
};

AgentClient::AgentClient(base::asio::any_io_executor executor, base::Timer& timer,
                         std::string socket_path)
    : executor_(executor),
      timer_(timer),
      socket_path_(std::move(socket_path)),
      tasks_(std::move(executor)) {}

AgentClient::~AgentClient() = default;

Task<Result<std::shared_ptr<AgentClient::Connection>>> AgentClient::connect() {
  if (connection_ && !connection_->broken) co_return connection_;
  auto made = std::make_shared<Connection>(executor_);
  ErrorCode error;
  co_await made->socket.async_connect(socket_path_, base::into(error));
  if (error)
    co_return base::fail_with_advice(Code::Unavailable,
                                     "the agent cannot be reached: " + error.message(),
                                     "It is restarted by granary up; see its log if this lasts");
  // Another call may have connected meanwhile: one connection is enough.
  if (connection_ && !connection_->broken) co_return connection_;
  connection_ = made;
  if (!tasks_.spawn("agent client", read_answers(made)))
    co_return base::fail(Code::Cancelled, "the client is closing");
  co_return made;
}

Task<Result<object>> AgentClient::read_frame(Connection& connection) {
  ErrorCode error;
  std::string head(wire::kFrameHead, '\0');
  co_await base::asio::async_read(connection.socket, base::asio::buffer(head), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "reading from the agent"));
  CO_TRY_ASSIGN(const std::size_t length, wire::decode_head(head));
  std::string body(length, '\0');
  co_await base::asio::async_read(connection.socket, base::asio::buffer(body), base::into(error));
  if (error) co_return std::unexpected(base::from_asio(error, "reading from the agent"));
  co_return wire::decode_body(body);
}

Task<void> AgentClient::read_answers(std::shared_ptr<Connection> connection) {
  for (;;) {
    const Result<object> frame = co_await read_frame(*connection);
    if (!frame) {
      fail_all(connection, frame.error());
      co_return;
    }
    const std::int64_t id = base::json::get_int_or(*frame, "id", 0).value_or(0);
    if (const object* error = base::json::find_object(*frame, "error")) {
      settle(id, std::unexpected(base::json::to_error(*error)));
    } else {
      const object* result = base::json::find_object(*frame, "result");
      settle(id, result == nullptr ? object() : *result);
    }
  }
}

void AgentClient::settle(std::int64_t id, Result<object> answer) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;  // its caller's deadline came first
  const std::shared_ptr<Pending> pending = found->second;
  pending_.erase(found);
  pending->answer = std::move(answer);
  pending->settled.notify_all();
}

void AgentClient::fail_all(const std::shared_ptr<Connection>& connection, const Error& error) {
  connection->broken = true;
  ErrorCode ignored;
  connection->socket.close(ignored);
  connection->writable.notify_all();
  if (connection != connection_) return;
  connection_.reset();
  while (!pending_.empty()) {
    settle(pending_.begin()->first,
           base::fail(Code::Unavailable, "the agent went away: {}", error.message));
  }
}

// One task for all calls: a sleeper for each would stay until its deadline though long answered.
Task<void> AgentClient::watch_deadlines() {
  while (!pending_.empty()) {
    if (!co_await timer_.sleep(kDeadlineSweep)) break;
    age_pending();
  }
  watching_ = false;
}

void AgentClient::age_pending() {
  std::vector<std::int64_t> late;
  for (const auto& [id, pending] : pending_) {
    pending->age += kDeadlineSweep;
    if (pending->age > pending->deadline) late.push_back(id);
  }
  for (const std::int64_t id : late)
    settle(id, base::fail(Code::Deadline, "the agent did not answer in time"));
}

Task<Result<object>> AgentClient::call(wire::Verb verb, object arguments) {
  if (pending_.size() >= kMaxPending)
    co_return base::fail(Code::Exhausted, "{} calls to the agent are under way", pending_.size());
  CO_TRY_ASSIGN(const std::shared_ptr<Connection> connection, co_await connect());
  const std::int64_t id = next_id_++;
  arguments["id"] = id;
  arguments["verb"] = wire::to_string(verb);
  const std::string frame = wire::encode_frame(arguments);
  auto pending = std::make_shared<Pending>(executor_);
  if (verb == wire::Verb::Export || verb == wire::Verb::Import)
    pending->deadline = kTransferDeadline;
  pending_[id] = pending;
  while (connection->writing && !connection->broken) {
    if (!co_await connection->writable.wait()) break;
  }
  if (!connection->broken && !pending->answer) {
    connection->writing = true;
    ErrorCode error;
    co_await base::asio::async_write(connection->socket, base::asio::buffer(frame),
                                     base::into(error));
    connection->writing = false;
    connection->writable.notify_all();
    if (error) fail_all(connection, base::from_asio(error, "writing to the agent"));
  }
  if (!pending->answer && !watching_)
    watching_ = tasks_.spawn("agent deadlines", watch_deadlines());
  while (!pending->answer) {
    if (!co_await pending->settled.wait()) {
      pending_.erase(id);
      co_return base::fail(Code::Cancelled, "the call to the agent was cancelled");
    }
  }
  co_return std::move(*pending->answer);
}

Task<void> AgentClient::close() {
  if (connection_) fail_all(connection_, Error{Code::Cancelled, "closing", {}, {}});
  co_await tasks_.close();
}

}  // namespace granary::cloud::host
