// The whole agent with its real parts, asked over its socket, for tests that run as root.
#pragma once

#include <memory>
#include <string>

#include "agent/agent.h"
#include "agent/host/host_parts.h"
#include "agent/testing/host_fixture.h"

namespace granary::agent {

// Of granary-init, beside the test program.
std::string init_program_path();

class AgentFixture : public HostFixture {
 protected:
  void SetUp() override;
  void TearDown() override;

  void begin(Isolation isolation);
  void end(Accounts::Silos silos);

  wire::AgentResult<base::json::object> call(wire::Verb verb, base::json::object arguments = {});
  static base::json::object account(const std::string& name);
  wire::AgentResult<base::json::object> wake(const std::string& name);
  // One service, `api`, that runs this program (Python).
  wire::AccountSpec spec_for(const std::string& name, const std::string& program,
                             std::uint64_t version);
  wire::AgentResult<base::json::object> apply(const wire::AccountSpec& spec);
  wire::AgentResult<base::json::object> apply(const std::string& name, const std::string& program,
                                              std::uint64_t version) {
    return apply(spec_for(name, program, version));
  }

  base::os::AsioTimer timer_;
  base::os::SystemRng rng_;
  base::os::ThreadPool pool_{4};
  std::unique_ptr<HostParts> parts_;
  std::unique_ptr<Agent> agent_;

 private:
  base::Task<bool> closed(Accounts::Silos silos);
  base::Task<wire::AgentResult<base::json::object>> exchange(wire::Request request);
};

}  // namespace granary::agent
