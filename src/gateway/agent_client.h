// The gateway's side of the agent's protocol: one connection, kept up for ever, over which sleeping
// services are activated. Requests for one service join one activation; while the agent is away
// they wait for it, each until its own deadline. Owned by the Gateway; one thread.
#pragma once

#include <boost/asio/local/stream_protocol.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/event.h"
#include "base/ids.h"
#include "base/timer.h"
#include "gateway/io.h"
#include "gateway/sweeper.h"
#include "wire/agent_protocol.h"

namespace granary::gateway {

// The epoch under which the service is being served, or why it is not.
using Activated = wire::AgentResult<std::uint32_t>;

// How long a request waits for a way into its silo.
struct Patience {
  base::BootTime began{0};
  std::chrono::nanoseconds start{0};  // while the agent is away, or a life takes nothing at all
  base::BootTime answer{0};           // for the agent's word, and for a turn
  const bool& gone;                   // the client is: waiting has no use any more
};

class AgentClient final : private Swept {
 public:
  // All outlive the client.
  AgentClient(std::string socket_path, Executor executor, Sweeper& sweeper, base::Timer& timer);
  ~AgentClient();  // asserts that nobody waits
  AgentClient(const AgentClient&) = delete;
  AgentClient& operator=(const AgentClient&) = delete;

  // Errors: those of `activate` in wire/agent_protocol.h; Deadline when `patience` ends, whatever
  // the agent waits for; Exhausted over kAgentQueue; Cancelled after give_up(), or when the client
  // is gone.
  Coro<Activated> activate(base::ServiceId service, Patience patience);

  // Passes on why the app failed a request, in its life of this epoch; 0: of none. Dropped while
  // the agent is away, or behind too much.
  void tell(const base::ServiceId& service, std::uint32_t epoch, std::string_view reason);

  // Connects, talks, connects again; ends by cancellation.
  base::Task<void> run();
  // Ends all who wait, and whoever comes.
  void give_up();
  bool connected() const { return connected_; }
  std::size_t waiting() const { return waiting_; }
  // Since when there has been no connection; asked while there is none.
  base::BootTime away_since() const { return away_since_; }
  // It is connected and has not said a word for kAgentSilence although it was asked.
  bool silent(base::BootTime now) const;

 private:
  struct Waiter;
  struct Pending {
    std::int64_t id = 0;
    std::vector<Waiter*> waiters;
  };
  using Socket = asio::basic_stream_socket<asio::local::stream_protocol, asio::any_io_executor>;

  void sweep(base::BootTime now) override;
  bool connect();
  base::Task<void> converse();
  base::Task<void> read_answers();
  base::Task<void> write_requests();
  void send(const base::ServiceId& service, std::int64_t id);
  void take_answer(std::string_view body);
  void finish(std::map<base::ServiceId, Pending>::iterator pending, const Activated& outcome);
  void forget(const base::ServiceId& service, const Waiter& waiter);

  const std::string socket_path_;
  Executor executor_;
  Sweeper& sweeper_;
  base::Timer& timer_;
  Socket socket_;
  base::Event outgoing_;
  std::string outbox_;
  // Safety: at most one per service. Progress: its request is in the outbox, or on its way, or
  // will be put there by the next connect().
  std::map<base::ServiceId, Pending> pending_;
  std::int64_t last_id_ = 0;
  std::size_t waiting_ = 0;
  bool connected_ = false;
  base::BootTime away_since_;
  // Whether it lives, asked every kPingEvery, one at a time. Nothing: no answer is awaited.
  std::optional<std::int64_t> ping_;
  base::BootTime pinged_{0};
  base::BootTime heard_{0};  // any answer
  bool closed_ = false;
};

}  // namespace granary::gateway
