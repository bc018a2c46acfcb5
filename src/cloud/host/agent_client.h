// A client of the agent's protocol over its unix socket: one connection, made when it is needed
// and again after it broke; requests are answered out of order. Lives on control's executor.
// Not for the gateway, which has a client of its own for its one verb.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <map>
#include <memory>
#include <string>

#include "base/event.h"
#include "base/task_group.h"
#include "base/timer.h"
#include "wire/agent_protocol.h"

namespace granary::cloud::host {

class AgentClient final {
 public:
  // `timer` must outlive the client.
  AgentClient(base::asio::any_io_executor executor, base::Timer& timer, std::string socket_path);
  ~AgentClient();

  // The "result" member of the answer. Errors: what the agent answered; Unavailable when it
  // cannot be reached or went away before it answered; Deadline.
  base::Task<base::Result<base::json::object>> call(wire::Verb verb, base::json::object arguments);
  base::Task<void> close();

 private:
  struct Connection;
  struct Pending;
  using Socket = base::asio::local::stream_protocol::socket;

  base::Task<base::Result<std::shared_ptr<Connection>>> connect();
  base::Task<void> read_answers(std::shared_ptr<Connection> connection);
  base::Task<base::Result<base::json::object>> read_frame(Connection& connection);
  base::Task<void> watch_deadlines();
  void age_pending();
  void fail_all(const std::shared_ptr<Connection>& connection, const base::Error& error);
  void settle(std::int64_t id, base::Result<base::json::object> answer);

  base::asio::any_io_executor executor_;
  base::Timer& timer_;
  std::string socket_path_;
  // Owned by this and by the task that reads it, which may end later.
  std::shared_ptr<Connection> connection_;
  std::map<std::int64_t, std::shared_ptr<Pending>> pending_;  // owned by this and by its caller
  std::int64_t next_id_ = 1;
  bool watching_ = false;  // watch_deadlines() runs; progress: pending_ not empty => true
  base::TaskGroup tasks_;
};

}  // namespace granary::cloud::host
