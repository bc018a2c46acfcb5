// Why requests fail because of the app, told to the agent, which tells the account: in the log and
// the report of the service. Never in an answer: who asked is told nothing of what is behind it.
// Bounded: of one service and one kind once in kFaultEvery; the rest is counted and told with the
// next. Owned by the Gateway; one thread.
#pragma once

#include <map>
#include <string_view>

#include "base/ids.h"
#include "gateway/agent_client.h"

namespace granary::gateway {

enum class FaultKind {
  NotAccepting,  // nothing takes requests from the queue
  TooSlow,       // no answer in time
  Closed,        // the connection, without an answer
  NotHttp,       // what came is no answer
  Cut,           // the answer, in its middle
  Limit,         // more at once than the manifest allows
};

class Faults final {
 public:
  // Both outlive it.
  Faults(AgentClient& agent, Sweeper& sweeper) : agent_(agent), sweeper_(sweeper) {}

  struct Fault {
    FaultKind kind;
    std::string_view reason;      // one line for who wrote the app
    std::string_view request_id;  // finds it in the access log
    std::uint32_t epoch = 0;      // of the life that failed it; 0: of none
  };
  void note(const base::ServiceId& service, const Fault& fault);
  std::uint64_t noted() const { return noted_; }

 private:
  struct Told {
    base::BootTime at{0};
    std::uint64_t since = 0;  // so many were not told
  };
  struct Source {
    base::ServiceId service;
    FaultKind kind;
    auto operator<=>(const Source&) const = default;
  };
  void make_room();

  AgentClient& agent_;
  Sweeper& sweeper_;
  std::map<Source, Told> told_;  // at most kFaultSources
  std::uint64_t noted_ = 0;
};

}  // namespace granary::gateway
