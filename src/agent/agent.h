// The agent: makes accounts real on this machine. Answers the verbs of wire/agent_protocol.h on
// its unix socket. Lives on one executor; what blocks runs on its worker. The parts come from
// outside: app/ takes those of host/host_parts.h, tests take fakes.
#pragma once

#include <functional>

#include "agent/accounts.h"
#include "agent/server.h"

namespace granary::agent {

struct AgentOptions {
  AccountsOptions accounts;
  // Who may ask for what (SO_PEERCRED); root may as control does.
  std::uint32_t control_uid = 0;
  std::uint32_t gateway_uid = 0;
  // Done to an unpacked release before it has its name; host/precompile.h. A failure is logged.
  std::function<base::Result<void>(const std::string& folder)> prepare_release;
};

class Agent final : public Handler {
 public:
  Agent(AgentOptions options, AccountsParts parts);
  ~Agent() override;  // close() must have completed
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // Recovers, then listens at Paths::agent_socket(); resolves once it answers. Errors: of the
  // system; the agent is of no use then.
  base::Task<base::Result<void>> start();
  // Makes the socket anew where somebody removed it; to be called now and then.
  void keep_socket();
  // Refuses, cancels, joins. Silos go on (the next agent adopts them), or are stopped first.
  base::Task<void> close(Accounts::Silos silos);

  // One request of a peer; what the server calls.
  base::Task<wire::AgentResult<base::json::object>> handle(wire::Peer peer,
                                                           wire::Request request) override;
  Accounts& accounts() { return accounts_; }

 private:
  using Answer = base::Result<base::json::object>;

  void prepare(const std::string& folder) const;
  base::Task<wire::AgentResult<base::json::object>> activate(base::json::object arguments);
  base::Task<Answer> dispatch(wire::Verb verb, base::json::object arguments);
  base::Task<Answer> apply(base::json::object arguments);
  base::Task<Answer> list(base::json::object arguments);
  base::Task<Answer> unpack(base::json::object arguments);
  base::Task<Answer> forget(base::json::object arguments);
  base::Task<Answer> logs(base::json::object arguments);
  base::Task<Answer> note_fault(base::json::object arguments);
  base::Task<Answer> export_data(base::json::object arguments);
  base::Task<Answer> import_data(base::json::object arguments);

  const AgentOptions options_;
  AccountsParts parts_;
  Accounts accounts_;
  KeyedLock releases_;
  std::unique_ptr<Server> server_;
};

}  // namespace granary::agent
