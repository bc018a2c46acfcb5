#include "lifecycle/testing/simulation/customers.h"

// What operators do to the whole fleet, and to tenants besides their operations: plans, secrets,
// domains, pins, drift.
namespace granary::lifecycle::simulation {
namespace {

using base::AccountId;
using base::Result;
using base::Task;
using namespace std::chrono_literals;

std::string some_plan(Customer& customer) { return fmt::format("plan{}", customer.pick(2)); }
std::string some_secret(Customer& customer) { return fmt::format("KEY{}", customer.pick(2)); }

// What concerns everybody is rare in a large world: each time all accounts follow.
bool is_too_much(Customer& customer) {
  return customer.world().options.tenants > 1'000 && customer.chance(0.97);
}

Task<void> put_plan(Customer& customer) {
  if (is_too_much(customer)) co_return;
  registry::Plan plan;
  plan.name = some_plan(customer);
  plan.ceilings.memory_bytes = (64U << 20) + customer.pick(1U << 20);
  Call& call = customer.world().journal.begin("plan.apply", "", {});
  call.applies_globally = [plan](ExpectedGlobals& globals) {
    globals["plan/" + plan.name] = std::to_string(*plan.ceilings.memory_bytes);
  };
  co_await customer.request(call, [plan](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.put_plan(plan, std::move(caller));
  });
}

Task<void> move_to_plan(Customer& customer) {
  UpdateTenant update;
  update.id = AccountId(customer.some_tenant());
  update.details.plan = customer.chance(0.3) ? registry::kStandardPlan : some_plan(customer);
  Call& call = customer.world().journal.begin(
      "tenant.update", update.id.value, [update](Expected& expected) { apply(update, expected); });
  co_await customer.request(call, [update](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.update(update, std::move(caller));
  });
}

Task<void> set_secret(Customer& customer) {
  Lifecycle::SetSecret wanted;
  wanted.name = some_secret(customer);
  wanted.value = customer.some_value();
  const bool global = customer.chance(0.3) && !is_too_much(customer);
  if (!global) wanted.account = AccountId(customer.some_tenant());
  Call& call = customer.world().journal.begin(global ? "secret.apply" : "tenant.apply",
                                              wanted.account.value, {});
  if (global) {
    call.applies_globally = [wanted](ExpectedGlobals& globals) {
      globals["secret/" + wanted.name] = wanted.value;
    };
  } else {
    call.applies = [wanted](Expected& expected) { expected.secrets[wanted.name] = wanted.value; };
  }
  co_await customer.request(call, [wanted](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.set_secret(wanted, std::move(caller));
  });
}

Task<void> unset_secret(Customer& customer) {
  const std::string name = some_secret(customer);
  const bool global = customer.chance(0.3) && !is_too_much(customer);
  const AccountId id(global ? "" : customer.some_tenant());
  Call& call =
      customer.world().journal.begin(id.empty() ? "secret.apply" : "tenant.apply", id.value, {});
  if (id.empty()) {
    call.applies_globally = [name](ExpectedGlobals& globals) { globals.erase("secret/" + name); };
  } else {
    call.applies = [name](Expected& expected) { expected.secrets.erase(name); };
  }
  co_await customer.request(call, [id, name](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.unset_secret(id, name, std::move(caller));
  });
}

// Claims a domain, puts the token where it is looked for, and has it looked for.
Task<void> prove_domain(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  if (!control) co_return;
  const AccountId id(customer.some_tenant());
  const std::string domain = fmt::format("d{}.example", customer.pick(20));
  const auto claim = co_await control->lifecycle().claim_domain(id, domain, {"sim", ""});
  if (!claim) co_return;
  customer.world().domains.set_txt(fmt::format("{}.{}", kTxtLabel, domain), claim->token);
  Call& call = customer.world().journal.begin(
      "tenant.apply", id.value, [domain](Expected& expected) { expected.domains.insert(domain); });
  co_await customer.request(call, [id, domain](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.verify_domain(id, domain, std::move(caller));
  });
}

// The row's number, by which a tenant is told from an earlier one of its name; 0: there is none.
std::uint32_t ordinal_of(World& world, const AccountId& id) {
  std::uint32_t ordinal = 0;
  world.disk.look([&](store::Transaction& tx) -> Result<void> {
    const auto row = registry::get(tx, id);
    if (row) ordinal = row->ordinal;
    return {};
  });
  return ordinal;
}

Task<void> pin_or_unpin(Customer& customer) {
  World& world = customer.world();
  const std::shared_ptr<Control> control = world.control();
  const AccountId id(customer.some_tenant());
  const std::uint32_t ordinal = ordinal_of(world, id);
  if (!control || ordinal == 0) co_return;
  const bool pins = customer.chance(0.4);
  Register& pinned = world.journal.register_of(fmt::format("pin/{}", ordinal));
  const std::size_t write = pinned.begin(pins ? "pinned" : "", world.journal.tick());
  const Result<registry::Account> answer =
      pins ? co_await control->lifecycle().pin(id, std::nullopt, {"sim", ""})
           : co_await control->lifecycle().unpin(id, {"sim", ""});
  if (answer && answer->ordinal != ordinal) pinned.give_up();
  Call::Status status = answer ? Call::Status::Acknowledged : Call::Status::Unknown;
  if (control->dead()) status = Call::Status::Unknown;
  pinned.end(write, status, world.journal.tick());
}

Task<void> look_for_drift(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  if (!control) co_return;
  const auto drift = co_await control->lifecycle().find_drift();
  if (!drift) co_return;
  for (const DriftItem& item : drift->items) {
    customer.world().trace.line("drift: {} of {}: {}", to_string(item.kind), item.account.value,
                                item.detail);
    if (item.kind == DriftKind::Orphan)
      customer.world().fail(fmt::format("{} is called an orphan", item.account.value));
  }
}

Task<void> repair_drift(Customer& customer) {
  Call& call = customer.world().journal.begin("fleet.repair", "", {});
  co_await customer.request(call, [](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.repair({}, std::move(caller));
  });
}

// Of many accounts, and not ended.
std::optional<base::OperationId> some_fan_out(World& world) {
  std::optional<base::OperationId> found;
  world.disk.look([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto rows,
               tx.exec("SELECT id FROM operation WHERE state IN ('queued', 'running', 'waiting') "
                       "AND kind IN ('plan.apply', 'secret.apply', 'fleet.repair') "
                       "ORDER BY id DESC LIMIT 1"));
    if (!rows.empty()) found = base::OperationId(rows.front().text(0));
    return {};
  });
  return found;
}

// Whoever pauses one may never come back: bring_to_an_end() resumes it then.
Task<void> pause_for_a_while(Customer& customer) {
  World& world = customer.world();
  const auto id = some_fan_out(world);
  const std::shared_ptr<Control> control = world.control();
  if (!control || !id) co_return;
  const auto paused = co_await control->engine().pause(*id);
  if (!paused) co_return;
  ++world.stats.paused;
  world.trace.line("{} is paused: {}", id->value, operation::to_text(paused->children));
  co_await world.pause(std::chrono::milliseconds(1 + customer.pick(20'000)));
  const std::shared_ptr<Control> later = world.control();
  if (later) (void)co_await later->engine().resume(*id);
}

}  // namespace

const std::vector<Action>& fleet_actions() {
  static const std::vector<Action> all = {
      {"set a plan", 1, put_plan},
      {"move to a plan", 4, move_to_plan},
      {"set a secret", 4, set_secret},
      {"unset a secret", 2, unset_secret},
      {"prove a domain", 3, prove_domain},
      {"pin or unpin", 3, pin_or_unpin},
      {"look for drift", 1, look_for_drift},
      {"repair drift", 1, repair_drift},
      {"pause for a while", 2, pause_for_a_while},
  };
  return all;
}

}  // namespace granary::lifecycle::simulation
