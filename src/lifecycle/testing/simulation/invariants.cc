#include "lifecycle/testing/simulation/invariants.h"

#include "lifecycle/desired.h"

namespace granary::lifecycle::simulation {
namespace {

using base::AccountId;
using base::Result;
using operation::State;

std::string name_of(const OperationRow& operation) {
  return fmt::format("{} ({} of {}, {})", operation.id, operation.kind, operation.subject,
                     operation::to_string(operation.state));
}

// ---- at every moment

void acknowledged_is_recorded(World& world, const View& view) {
  std::map<std::string, const OperationRow*> by_id;
  for (const OperationRow& operation : view.operations) by_id[operation.id] = &operation;
  for (const Call& call : world.journal.calls()) {
    if (call.status != Call::Status::Acknowledged) continue;
    const auto found = by_id.find(call.operation.value);
    if (found == by_id.end() || found->second->call != &call)
      world.fail(fmt::format("{} of {} by {} was acknowledged as {}, which is lost", call.kind,
                             call.tenant, call.actor(), call.operation.value));
  }
}

void refused_is_not_recorded(World& world, const View& view) {
  std::set<const Call*> seen;
  for (const OperationRow& operation : view.operations) {
    if (operation.call == nullptr) continue;
    if (operation.call->status == Call::Status::Refused)
      world.fail(fmt::format("{} was refused to {}", name_of(operation), operation.actor));
    const bool first = seen.insert(operation.call).second;
    if (!first && !operation.call->key.empty())
      world.fail(fmt::format("{} is recorded twice, as {}", operation.actor, name_of(operation)));
  }
}

template <class A, class B>
void same(World& world, const std::string& tenant, const char* what, const A& row,
          const B& expected) {
  if (row != expected)
    world.fail(fmt::format("{} of {} is not what was asked for last", what, tenant));
}

void registry_is_as_recorded(World& world, const View& view) {
  for (const auto& [name, tenant] : view.tenants) {
    const Expected& expected = tenant.expected;
    if (tenant.row == nullptr) {
      const OperationRow* last = tenant.last();
      if (expected.exists)
        world.fail(fmt::format("tenant {} is gone; its last operation is {}", name,
                               last == nullptr ? "none" : name_of(*last)));
      continue;
    }
    if (!expected.exists) {
      world.fail(fmt::format("tenant {} is there, but nobody made it", name));
      continue;
    }
    const registry::Account& row = *tenant.row;
    same(world, name, "the public name", row.name, expected.name);
    if (expected.plan_known) same(world, name, "the plan", row.plan, expected.plan);
    if (expected.release_known)
      same(world, name, "the release", row.desired_release, expected.release_hash);
    same(world, name, "a label", row.labels, expected.labels);
    same(world, name, "a setting", row.settings, expected.settings);
    if (expected.domains_known)
      same(world, name, "a domain", std::set(row.domains.begin(), row.domains.end()),
           expected.domains);
    const auto secrets = view.secrets.find(name);
    same(world, name, "a secret",
         secrets == view.secrets.end() ? std::map<std::string, std::string>() : secrets->second,
         expected.secrets);
    const auto pins = world.journal.registers().find(fmt::format("pin/{}", row.ordinal));
    const bool pinned_as_asked = pins == world.journal.registers().end() ||
                                 pins->second.allows(row.pinned ? "pinned" : "", "");
    if (!pinned_as_asked) world.fail(fmt::format("the pin of {} is not as asked for", name));
  }
  for (const auto& [name, value] : view.expected_globals) {
    const auto found = view.globals.find(name);
    if (found == view.globals.end() || found->second != value)
      world.fail(fmt::format("{} is not what was asked for last", name));
  }
}

// ---- tenants' data

void data_is_its_own(World& world, const View&) {
  for (const auto& [id, desired] : world.cloud.accounts()) {
    const std::string wrong = world.apps.wrong_data(id);
    if (!wrong.empty()) world.fail(wrong);
  }
}

void archives_are_whole(World& world, const View& view) {
  for (const registry::Archive& archive : view.archives) {
    const bool removed = world.archives_removed.contains(archive.id);
    if (world.archives.contains(archive.id)) {
      if (!world.apps.had(archive.account, world.archives.data_of(archive.id)))
        world.fail(
            fmt::format("archive {} holds what {} never had", archive.id, archive.account.value));
    } else if (!removed) {
      const auto tenant = view.tenants.find(archive.account.value);
      const bool leaves = tenant != view.tenants.end() &&
                          std::ranges::any_of(tenant->second.operations, [](const auto* one) {
                            return one->kind == "tenant.offboard";
                          });
      if (!leaves) world.fail(fmt::format("the file of archive {} is gone", archive.id));
    }
  }
}

void tenant_has_an_account_or_an_operation(World& world, const View& view) {
  for (const registry::Account& account : view.accounts) {
    const auto found = world.cloud.accounts().find(account.id);
    if (found != world.cloud.accounts().end()) {
      if (found->second.ordinal != account.ordinal)
        world.fail(
            fmt::format("the account of {} is the one of an earlier tenant (ordinal {}, not "
                        "{})",
                        account.id.value, found->second.ordinal, account.ordinal));
      continue;
    }
    const TenantView& tenant = view.tenants.at(account.id.value);
    const bool waits_for_somebody =
        std::ranges::any_of(tenant.operations, [](const OperationRow* operation) {
          return operation->state == State::Failed || operation->state == State::Cancelled;
        });
    if (!tenant.busy() && !waits_for_somebody)
      world.fail(fmt::format("tenant {} ({}) has no account, and no operation that makes it one",
                             account.id.value, registry::to_string(account.state)));
  }
}

void account_has_a_tenant(World& world, const View& view) {
  for (const auto& [id, desired] : world.cloud.accounts()) {
    const auto tenant = view.tenants.find(id.value);
    if (tenant == view.tenants.end() || tenant->second.row == nullptr)
      world.fail(
          fmt::format("the account {} (ordinal {}) has no tenant", id.value, desired.ordinal));
  }
}

void ended_stays_ended(World& world, const View& view) {
  for (const OperationRow& operation : view.operations) {
    const base::OperationId id(operation.id);
    const auto [before, first] = world.ended.emplace(id, operation.state);
    if (first) {
      if (!operation::is_final(operation.state)) world.ended.erase(before);
      continue;
    }
    const bool again =
        before->second == State::Failed && world.journal.was_retried(id, operation.parent);
    if (before->second != operation.state && !again)
      world.fail(fmt::format("{} had ended as {}", name_of(operation),
                             operation::to_string(before->second)));
    before->second = operation.state;
    if (!operation::is_final(operation.state)) world.ended.erase(before);
  }
  if (world.ended.size() > view.operations.size()) world.fail("an operation that ended is lost");
}

void failed_says_why(World& world, const View& view) {
  for (const OperationRow& operation : view.operations) {
    if (operation.state != State::Failed) continue;
    if (!operation.error || operation.error->message.empty() || operation.error->advice.empty())
      world.fail(fmt::format("{} says no cause, or not what to do", name_of(operation)));
  }
}

void one_runs_per_subject(World& world, const View& view) {
  std::map<std::string, const OperationRow*> running;
  for (const OperationRow& operation : view.operations) {
    if (operation.state != State::Running) continue;
    const auto [other, first] = running.emplace(operation.subject, &operation);
    if (!first)
      world.fail(
          fmt::format("{} runs, and so does {}", name_of(operation), name_of(*other->second)));
  }
}

// A parent's row says what became of its children, at every moment; and no more are open than its
// window lets, but for those that somebody runs again.
void parents_count_their_children(World& world, const View&) {
  world.disk.look([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(
        const auto wrong,
        tx.exec("SELECT p.id, p.kind FROM operation p JOIN (SELECT parent, count(*) AS begun, "
                "sum(state = 'succeeded') AS succeeded, sum(state = 'failed') AS failed, "
                "sum(state = 'cancelled') AS cancelled FROM operation WHERE parent IS NOT NULL "
                "GROUP BY parent) c ON c.parent = p.id WHERE c.begun <> p.children_begun OR "
                "c.succeeded <> p.children_succeeded OR c.failed <> p.children_failed OR "
                "c.cancelled <> p.children_cancelled OR p.children_forgiven > p.children_failed"));
    for (const auto& row : wrong)
      world.fail(fmt::format("{} ({}) miscounts its children", row.text(0), row.text(1)));
    TRY_ASSIGN(const auto twice,
               tx.exec("SELECT parent, subject FROM operation WHERE parent IS NOT NULL "
                       "GROUP BY parent, subject HAVING count(*) > 1 LIMIT 1"));
    for (const auto& row : twice)
      world.fail(fmt::format("{} has begun two children of {}", row.text(0), row.text(1)));
    TRY_ASSIGN(const auto open,
               tx.exec("SELECT parent, id FROM operation WHERE parent IS NOT NULL AND "
                       "state IN ('queued', 'running', 'waiting')"));
    std::map<std::string, std::uint32_t> at_work;
    for (const auto& row : open) {
      if (world.journal.was_retried(base::OperationId(row.text(1)))) continue;
      if (++at_work[row.text(0)] > kSimWindow)
        world.fail(fmt::format("{} has more children at work than its window", row.text(0)));
    }
    return {};
  });
}

void numbers_are_used_once(World& world, const View& view) {
  std::set<std::uint32_t> ordinals;
  for (const registry::Account& account : view.accounts) {
    if (!ordinals.insert(account.ordinal).second)
      world.fail(fmt::format("ordinal {} is given twice", account.ordinal));
    const std::string owner = account.id.value + "@" + base::to_rfc3339(account.created);
    const auto [before, first] = world.ordinals.emplace(account.ordinal, owner);
    if (!first && before->second != owner)
      world.fail(fmt::format("ordinal {} was of {} and is of {} now", account.ordinal,
                             before->second, owner));
  }
  std::set<std::uint32_t> slots;
  for (const auto& [account, services] : view.slots) {
    for (const auto& [service, slot] : services) {
      if (!slots.insert(slot).second) world.fail(fmt::format("slot {} is given twice", slot));
    }
    const auto tenant = view.tenants.find(account);
    if (tenant == view.tenants.end() || tenant->second.row == nullptr)
      world.fail(fmt::format("slots of {} are held, which is gone", account));
  }
}

void state_has_a_reason(World& world, const View& view) {
  for (const registry::Account& account : view.accounts) {
    const TenantView& tenant = view.tenants.at(account.id.value);
    const auto any = [&](std::string_view kind, auto is) {
      return std::ranges::any_of(tenant.operations, [&](const OperationRow* operation) {
        return operation->kind == kind && is(operation->state);
      });
    };
    const auto open = [](State state) { return !operation::is_final(state); };
    const auto not_done = [](State state) { return state != State::Succeeded; };
    const auto recorded = [](State) { return true; };
    bool holds = true;
    switch (account.state) {
      case registry::State::Creating:
        holds = any("tenant.create", open);
        break;
      case registry::State::Failed:
        holds = any("tenant.create", not_done) || any("tenant.restore", not_done);
        break;
      case registry::State::Suspended:
        holds = any("tenant.suspend", recorded) || any("tenant.offboard", not_done);
        break;
      case registry::State::Offboarding:
        holds = any("tenant.offboard", not_done);
        break;
      case registry::State::Restoring:
        holds = any("tenant.restore", open);
        break;
      case registry::State::Active:
        break;
    }
    if (!holds)
      world.fail(fmt::format("tenant {} is {}, but no operation says why", account.id.value,
                             registry::to_string(account.state)));
  }
}

void audit_chain_holds(World& world, const View& view) {
  if (!view.audit.problem.empty()) world.fail("the audit log: " + view.audit.problem);
  if (view.audit.entries < world.audit_entries)
    world.fail(fmt::format("the audit log has {} entries, and had {}", view.audit.entries,
                           world.audit_entries));
  world.audit_entries = view.audit.entries;
}

// ---- when nothing is under way

void nothing_is_under_way(World& world, const View& view) {
  for (const OperationRow& operation : view.operations) {
    if (!operation::is_final(operation.state))
      world.fail(fmt::format("{} does not end: step {}, {}", name_of(operation), operation.step,
                             operation.error ? base::describe(*operation.error) : "no error"));
  }
}

// Of one that succeeded every step is done, once.
void steps_are_done_once(World& world, const View&) {
  world.disk.look([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto twice,
               tx.exec("SELECT operation, step FROM operation_step WHERE outcome = 'done' "
                       "GROUP BY operation, step HAVING count(*) > 1 LIMIT 1"));
    for (const auto& row : twice)
      world.fail(fmt::format("step {} of {} was done twice", row.text(1), row.text(0)));
    TRY_ASSIGN(const auto open,
               tx.exec("SELECT operation, step FROM operation_step WHERE ended IS NULL LIMIT 1"));
    for (const auto& row : open)
      world.fail(fmt::format("step {} of {} has no end", row.text(1), row.text(0)));
    TRY_ASSIGN(const auto undone,
               tx.exec("SELECT id FROM operation WHERE state = 'succeeded' AND NOT EXISTS (SELECT "
                       "1 FROM operation_step s WHERE s.operation = id AND s.step = "
                       "operation.step AND s.outcome = 'done') LIMIT 1"));
    for (const auto& row : undone)
      world.fail(fmt::format("{} succeeded without having done its last step", row.text(0)));
    return {};
  });
}

void database_is_sound(World& world, const View&) {
  world.disk.look([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto integrity, tx.exec("PRAGMA integrity_check"));
    if (integrity.size() != 1 || integrity.front().text(0) != "ok")
      world.fail("the database is damaged");
    TRY_ASSIGN(const auto keys, tx.exec("PRAGMA foreign_key_check"));
    if (!keys.empty()) world.fail("a row refers to one that is not there");
    return {};
  });
}

// Whether it is to bring the account to what its row says, plans and secrets included.
bool converges(const OperationRow& operation) { return operation.kind != "tenant.export"; }

bool all_well(const TenantView& tenant) {
  return std::ranges::all_of(tenant.operations, [](const OperationRow* operation) {
    return !converges(*operation) || operation->state == State::Succeeded;
  });
}

void gateway_knows(World& world, const View& view) {
  if (world.published.empty()) return;  // large worlds keep none
  for (const auto& [name, tenant] : view.tenants) {
    const auto known = world.published.find(name);
    const std::string state = known == world.published.end() ? "gone" : known->second;
    const std::string row =
        tenant.row == nullptr ? "gone" : std::string(registry::to_string(tenant.row->state));
    if (all_well(tenant) && row != state)
      world.fail(fmt::format("{} is {}, but the gateway was told that it is {}", name, row, state));
  }
}

// What a restore that was the last thing to happen brought is there.
void restored_is_there(World& world, const View& view) {
  for (const auto& [name, tenant] : view.tenants) {
    const OperationRow* last = tenant.last();
    const bool restored = tenant.row != nullptr && last != nullptr && last->call != nullptr &&
                          last->kind == "tenant.restore" && last->state == State::Succeeded;
    if (restored && world.apps.lacks(AccountId(name), *last->call))
      world.fail(fmt::format("the data that was restored into {} is not there", name));
  }
}

// An operation that succeeded has brought everything, also what changed while it ran.
void success_is_complete(World& world, const View& view) {
  for (const OperationRow& operation : view.operations) {
    const bool fleet = operation.kind == "plan.apply" || operation.kind == "secret.apply";
    if (fleet && operation.state != State::Succeeded) return;  // somebody is to retry it
  }
  for (const registry::Account& account : view.accounts) {
    const bool rests =
        account.state == registry::State::Active || account.state == registry::State::Suspended;
    if (!rests || !all_well(view.tenants.at(account.id.value))) continue;
    const std::string unlike = unlike_desired(world, account);
    if (!unlike.empty())
      world.fail(
          fmt::format("every operation of {} succeeded, but its account is not as desired: "
                      "{}",
                      account.id.value, unlike));
  }
}

// ---- when operators have retried what failed

void account_is_as_desired(World& world, const View& view) {
  for (const registry::Account& account : view.accounts) {
    const std::string unlike = unlike_desired(world, account);
    if (!unlike.empty()) {
      world.fail(fmt::format("the account of {} is not as its row says in the end: {}",
                             account.id.value, unlike));
      continue;
    }
    const auto real = world.cloud.accounts().find(account.id);
    if (account.actual_release != real->second.release_hash)
      world.fail(fmt::format("the row of {} names another release than it runs", account.id.value));
    const bool rests =
        account.state == registry::State::Active || account.state == registry::State::Suspended;
    if (!rests)
      world.fail(fmt::format("tenant {} is {} in the end", account.id.value,
                             registry::to_string(account.state)));
  }
}

}  // namespace

std::string unlike_desired(World& world, const registry::Account& account) {
  const auto found = world.cloud.accounts().find(account.id);
  if (found == world.cloud.accounts().end()) return "there is none";
  const cloud::Desired& real = found->second;
  cloud::Desired desired;
  world.disk.look([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(desired, desired_of(tx, account, world.sealing_key()));
    return {};
  });
  if (desired == real) return {};
  if (desired.version != real.version)
    return fmt::format("version {} is {}", desired.version, real.version);
  if (desired.release_hash != real.release_hash) return "its release differs";
  if (desired.traffic != real.traffic) return "its traffic differs";
  if (desired.secrets != real.secrets) return "its secrets differ";
  if (desired.services_json != real.services_json) return "its services differ";
  if (desired.config_json != real.config_json) return "its configuration differs";
  return "it differs";
}

const std::vector<Invariant>& invariants() {
  using enum Moment;
  static const std::vector<Invariant> all = {
      {"what was acknowledged is recorded", Always, acknowledged_is_recorded},
      {"what was refused is not recorded, and nothing twice", Always, refused_is_not_recorded},
      {"the registry is what was recorded", Always, registry_is_as_recorded},
      {"a tenant's data is its own, and the last", Always, data_is_its_own},
      {"archives are whole", Always, archives_are_whole},
      {"a tenant has its account, or an operation", Always, tenant_has_an_account_or_an_operation},
      {"an account has its tenant", Always, account_has_a_tenant},
      {"what ended stays ended", Always, ended_stays_ended},
      {"what failed says why and what to do", Always, failed_says_why},
      {"of one subject one operation runs", Always, one_runs_per_subject},
      {"parents count their children", Always, parents_count_their_children},
      {"ordinals and slots are given once", Always, numbers_are_used_once},
      {"a tenant's state has a reason", Always, state_has_a_reason},
      {"the audit chain holds", Always, audit_chain_holds},
      {"every operation ends", Settled, nothing_is_under_way},
      {"every step is done once", Settled, steps_are_done_once},
      {"the database is sound", Settled, database_is_sound},
      {"what was restored is there", Settled, restored_is_there},
      {"the gateway knows", Settled, gateway_knows},
      {"success is complete", Settled, success_is_complete},
      {"accounts are as desired", Mended, account_is_as_desired},
  };
  return all;
}

void check_invariants(World& world, Moment moment) {
  ++world.stats.checks;
  const View view = look(world);
  for (const Invariant& invariant : invariants()) {
    if (invariant.since > moment) continue;
    invariant.check(world, view);
    if (!world.failure().empty()) return;
  }
}

}  // namespace granary::lifecycle::simulation
