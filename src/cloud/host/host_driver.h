// The host cloud: accounts are silos on this machine, made real by the agent. Translates the
// control plane's words into the agent's documents and back; keeps nothing. Lives on control's
// executor.
#pragma once

#include "cloud/driver.h"
#include "cloud/host/agent_client.h"
#include "wire/account_state.h"

namespace granary::cloud::host {

class HostDriver final : public Driver {
 public:
  // `agent` must outlive the driver.
  explicit HostDriver(AgentClient& agent) : agent_(agent) {}

  base::Task<base::Result<void>> prepare_release(std::string release_hash) override;
  base::Task<base::Result<void>> forget_release(std::string release_hash) override;
  base::Task<base::Result<Actual>> converge(Desired desired) override;
  base::Task<base::Result<void>> destroy(base::AccountId account) override;
  base::Task<base::Result<DataExport>> export_data(base::AccountId account,
                                                   std::string transfer) override;
  base::Task<base::Result<void>> import_data(base::AccountId account, std::string transfer,
                                             std::string sha256) override;
  base::Task<base::Result<Actual>> describe(base::AccountId account) override;
  base::Task<base::Result<Page>> list(std::string after, std::uint32_t limit) override;
  // Of the service that has no name: the account's access log.
  base::Task<base::Result<LogChunk>> read_log(base::ServiceId service,
                                              std::uint64_t cursor) override;

 private:
  AgentClient& agent_;
};

// Exposed for its test. Errors: DataLoss when the services' documents cannot be read.
base::Result<wire::AccountSpec> to_spec(const Desired& desired);
Actual to_actual(const wire::AccountReport& report);

}  // namespace granary::cloud::host
