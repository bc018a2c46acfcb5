// What the operations of this room do, step by step. Each may run again after a crash at any
// instruction, and reads its rows anew. Internal to this room; the steps of one topic are in one
// file.
#pragma once

#include <string>
#include <vector>

#include "lifecycle/desired.h"
#include "lifecycle/lifecycle.h"

namespace granary::lifecycle {

struct Lifecycle::Steps {
  using Step = base::Task<base::Result<operation::Outcome>>;
  using Run = Step (Steps::*)(operation::Operation);

  explicit Steps(Lifecycle& owner) : whole(owner), parts(owner.parts_) {}

  // ---- steps.cc: an account and what the gateway knows of it
  Step prepare(operation::Operation operation);
  Step converge(operation::Operation operation);
  Step converge_made(operation::Operation operation);
  base::Task<base::Result<void>> destroy_broken(base::AccountId id);
  Step publish(operation::Operation operation);

  // ---- update_steps.cc: the release that an update brings, and what becomes of it
  Step prepare_update(operation::Operation operation);
  Step converge_update(operation::Operation operation);
  base::Task<base::Result<void>> take_up_release(operation::Operation operation);
  base::Task<base::Error> with_way_on(operation::Operation operation, base::Error error);

  // ---- check_steps.cc: what is asked of an app after its deployment
  Step request_check(operation::Operation operation);
  Step check(operation::Operation operation);
  base::Task<base::Result<void>> ask(base::AccountId id, Question question, std::uint32_t attempt);
  base::Task<std::optional<cloud::ServiceStatus>> status_of(base::AccountId id,
                                                            std::string service);
  base::Task<base::Error> explained(const operation::Operation& operation, base::AccountId id,
                                    std::string service, base::Error error);
  base::Task<std::string> served_before(operation::Operation check);

  // ---- export_steps.cc
  Step export_data(operation::Operation operation);
  Step pack(operation::Operation operation);

  // ---- restore_steps.cc
  Step unpack(operation::Operation operation);
  Step converge_closed(operation::Operation operation);
  Step import_data(operation::Operation operation);
  Step settle(operation::Operation operation);
  Step reopen(operation::Operation operation);
  Step conclude(operation::Operation operation);

  // ---- offboard_steps.cc
  Step close_account(operation::Operation operation);
  Step close_made(operation::Operation operation);
  // The steps from here on, each only while the tenant is being offboarded.
  Step leaving(operation::Operation operation, Run run);
  Step final_export(operation::Operation operation);
  Step final_pack(operation::Operation operation);
  Step retain(operation::Operation operation);
  Step inspect(operation::Operation operation);
  Step destroy(operation::Operation operation);

  // ---- fleet_steps.cc: what concerns many accounts
  using Children = base::Task<base::Result<std::vector<operation::Child>>>;
  using NextChildren = Children (Steps::*)(operation::Operation, std::string, std::uint32_t);
  Children applies_to(operation::Operation parent, std::vector<base::AccountId> accounts);
  Children accounts_of_plan(operation::Operation operation, std::string after, std::uint32_t limit);
  base::Task<base::Result<std::uint64_t>> count_accounts_of_plan(operation::Operation operation);
  Children accounts_of_secret(operation::Operation operation, std::string after,
                              std::uint32_t limit);
  Step mend(operation::Operation operation);
  Children accounts_to_mend(operation::Operation operation, std::string after, std::uint32_t limit);

  // ---- release_steps.cc
  Step forget_release(operation::Operation operation);
  Step remove_release(operation::Operation operation);
  base::Task<base::Result<bool>> is_back(std::string hash);

  void add_kinds();
  void add_fleet_kinds();

  operation::Step step(std::string name, Run run);
  operation::Step leaving_step(std::string name, Run run);
  operation::Step fan_out_step(NextChildren next);
  operation::Kind changing(std::string name, operation::KindRole role,
                           std::vector<operation::Step> steps);
  // What the account is to be now, and the driver of its cloud.
  struct Target {
    cloud::Desired desired;
    cloud::Driver* driver = nullptr;
    std::vector<std::string> secrets_not_set;
  };
  base::Task<base::Result<Target>> target_of(base::AccountId id);
  base::Task<base::Result<ArchiveHead>> head_of(base::AccountId id, cloud::DataExport data);
  enum class Data { Keep, GiveUp };  // GiveUp: what is broken is destroyed first
  // Brings one account to what is desired of it, unless it is on its way out by then.
  operation::Child apply_to(const operation::Operation& parent, const base::AccountId& id,
                            Data data, std::string mark);
  base::Task<base::Result<operation::Outcome>> pack_as(operation::Operation operation,
                                                       registry::ArchiveKind kind,
                                                       base::WallTime expires);

  Lifecycle& whole;
  const Parts& parts;
};

// When an account began to become as desired: in the scratch of the operation, and in the input of
// the check that follows it.
inline constexpr const char* kConvergeBegan = "converge_began";
// What a failed update records: its release was refused before anything was changed, so the account
// stays at the one that it has.
base::Result<void> record_update_refused(store::Transaction& tx,
                                         const operation::Operation& operation);

// A DataExport as a step leaves it for a later one.
base::json::object to_json(const cloud::DataExport& data);
base::Result<cloud::DataExport> data_export_from(const base::json::object& scratch);
// For the history: how much it is, and what was left out.
std::string text_of(const cloud::DataExport& data);

}  // namespace granary::lifecycle
