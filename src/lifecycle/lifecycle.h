// The life of tenants: create, update, suspend, resume, offboard, and the check after a deployment,
// each a durable operation made of idempotent steps over the registry and a cloud. Lives on
// control's executor.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "cloud/driver.h"
#include "operation/engine.h"
#include "registry/account.h"
#include "registry/release_row.h"
#include "store/store.h"

namespace granary::lifecycle {

// Asks one service of an account for its health path, through the gateway, as a customer would.
// Declared here because the check after a deployment consumes it; the gateway's client is wired in
// by app, a fake by tests.
class Prober {
 public:
  virtual ~Prober() = default;
  // Resolves when the answer was 2xx. Errors: Unavailable or Deadline with what was answered.
  virtual base::Task<base::Result<void>> probe(base::AccountId account, std::string path) = 0;
};

// Told after a durable change of what the gateway must know; it resolves when the gateways that
// run can be expected to have it (a published snapshot), so that "active" means reachable.
class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual base::Task<base::Result<void>> publish() = 0;
};

struct CreateTenant {
  base::AccountId id;
  registry::Kind kind = registry::Kind::Tenant;
  std::string name;  // empty: the id
  std::string plan = "standard";
  std::string cloud = "host";
  std::string release;  // name, hash or "latest"
  std::vector<std::string> domains;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> settings;
};

struct UpdateTenant {
  base::AccountId id;
  registry::Details details;
  std::optional<std::string> release;
};

struct Offboard {
  base::AccountId id;
  std::chrono::milliseconds retain{0};  // data is kept, traffic refused, for this long
};

struct Caller {
  std::string actor;            // "token/01J..."
  std::string idempotency_key;  // may be empty
};

class Lifecycle final {
 public:
  struct Parts {  // all must outlive the Lifecycle
    store::Store& store;
    operation::Engine& engine;
    std::map<std::string, cloud::Driver*> clouds;  // by name: "host"
    Prober& prober;
    Publisher& publisher;
    const base::Clock& clock;
  };
  explicit Lifecycle(Parts parts);

  // Adds its kinds to the engine. Before Engine::recover().
  void register_kinds();

  // Each records intent and operation in one transaction and returns the operation, started.
  // Errors: InvalidArgument, AlreadyExists, NotFound, Conflict; nothing has changed then.
  base::Task<base::Result<operation::Operation>> create(CreateTenant request, Caller caller);
  base::Task<base::Result<operation::Operation>> update(UpdateTenant request, Caller caller);
  base::Task<base::Result<operation::Operation>> suspend(base::AccountId id, Caller caller);
  base::Task<base::Result<operation::Operation>> resume(base::AccountId id, Caller caller);
  base::Task<base::Result<operation::Operation>> offboard(Offboard request, Caller caller);
  // What offboarding would destroy, without doing it.
  struct OffboardPlan {
    registry::Account account;
    std::uint64_t disk_used_bytes = 0;
    std::vector<std::string> steps;  // for people, in order
  };
  base::Task<base::Result<OffboardPlan>> plan_offboard(Offboard request);

  base::Task<base::Result<registry::Account>> get(base::AccountId id);
  // What the account's cloud says now. Errors: NotFound, Unavailable.
  base::Task<base::Result<cloud::Actual>> inspect(base::AccountId id);
  base::Task<base::Result<cloud::Driver::LogChunk>> read_log(base::ServiceId service,
                                                             std::uint64_t cursor);

 private:
  using Step = base::Task<base::Result<operation::Outcome>>;
  operation::Kind changing(std::string name, std::vector<operation::Step> steps);
  Step prepare(operation::Operation operation);
  Step converge(operation::Operation operation);
  Step publish(operation::Operation operation);
  Step request_check(operation::Operation operation);
  Step check(operation::Operation operation);
  Step retain(operation::Operation operation);
  Step destroy(operation::Operation operation);
  base::Task<base::Result<operation::Operation>> change(std::string kind, base::AccountId id,
                                                        base::json::object input, store::Work also,
                                                        Caller caller);
  base::Task<base::Result<cloud::Driver*>> cloud_of(base::AccountId id);

  Parts parts_;
};

}  // namespace granary::lifecycle
