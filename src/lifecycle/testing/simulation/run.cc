#include "lifecycle/testing/simulation/run.h"

#include "lifecycle/testing/simulation/customers.h"
#include "lifecycle/testing/simulation/invariants.h"

namespace granary::lifecycle::simulation {
namespace {

using base::AccountId;
using base::Task;
using namespace std::chrono_literals;

// Longer than any retention that customers ask for, and all retries of what runs.
constexpr std::chrono::hours kLongest{48};
constexpr int kRounds = 6;

bool all_ended(World& world) {
  std::int64_t open = 1;
  world.disk.look([&](store::Transaction& tx) -> base::Result<void> {
    TRY_ASSIGN(const auto rows, tx.exec("SELECT count(*) FROM operation WHERE state IN ('queued', "
                                        "'running', 'waiting')"));
    open = rows.front().integer(0);
    return {};
  });
  return open == 0;
}

// In steps, so that the database is asked seldom.
void wait_for_the_end(World& world) {
  const base::BootTime end = world.base.clock.boot() + kLongest;
  while (world.failure().empty() && world.base.clock.boot() < end && !all_ended(world))
    world.run_until([] { return false; }, 1min);
}

// Runs a task of an operator's to its end.
void operate(World& world, std::function<Task<void>(World&)> work) {
  // Owned by the task too, which outlives this when something is wrong before it ends.
  const auto done = std::make_shared<bool>(false);
  world.spawn([](World& in, std::function<Task<void>(World&)> task,
                 std::shared_ptr<bool> ended) -> Task<void> {
    while (!in.control()) co_await in.pause(1s);
    co_await task(in);
    *ended = true;
  }(world, std::move(work), done));
  if (!world.run_until([&] { return *done; }, kLongest) && world.failure().empty())
    world.fail("an operator gets no answer");
}

Task<void> make_leave(World& world, Control& control, AccountId id) {
  Call& call = world.journal.begin("tenant.offboard", id.value, {});
  const auto asked = co_await control.lifecycle().offboard({.id = id}, {call.actor(), ""});
  if (asked) {
    world.journal.acknowledge(call, asked->id);
  } else {
    world.fail(fmt::format("{} cannot be offboarded: {}", id.value, asked.error().message));
  }
}

// An update that changes nothing: the account is brought to what its row says.
Task<void> touch(World& world, Control& control, AccountId id) {
  UpdateTenant update;
  update.id = id;
  Call& call = world.journal.begin("tenant.update", id.value, {});
  const auto asked = co_await control.lifecycle().update(update, {call.actor(), ""});
  if (asked) {
    world.journal.acknowledge(call, asked->id);
  } else {
    world.fail(fmt::format("{} cannot be updated: {}", id.value, asked.error().message));
  }
}

bool retries(const OperationRow& operation) { return operation.state == operation::State::Failed; }

Task<void> retry(World& world, Control& control, const OperationRow& operation) {
  world.journal.note_retry(base::OperationId(operation.id));
  const auto retried = co_await control.engine().retry(base::OperationId(operation.id));
  // Of one subject one after another: the others in the next round.
  if (!retried && retried.error().code != base::Code::Conflict)
    world.fail(fmt::format("{} cannot be retried: {}", operation.id, retried.error().message));
}

// A tenant that is to be looked after: its last operation did not succeed, or its account is not
// what its row says.
bool is_ill(World& world, const TenantView& tenant) {
  if (tenant.row == nullptr || tenant.last() == nullptr) return false;
  const registry::State state = tenant.row->state;
  const bool rests = state == registry::State::Active || state == registry::State::Suspended;
  return !rests || tenant.last()->state != operation::State::Succeeded ||
         !unlike_desired(world, *tenant.row).empty();
}

bool is_for_many(const OperationRow& operation) {
  return operation.kind == "plan.apply" || operation.kind == "secret.apply";
}

bool needs_mending(World& world) {
  const View view = look(world);
  return std::ranges::any_of(view.tenants,
                             [&](const auto& entry) { return is_ill(world, entry.second); }) ||
         std::ranges::any_of(view.operations, [](const OperationRow& operation) {
           return is_for_many(operation) && retries(operation);
         });
}

// What the advice of failed operations says: retry it; or make the change anew.
Task<void> mend(World& world) {
  const View view = look(world);
  const auto control = world.control();
  if (!control) co_return;
  for (const OperationRow& operation : view.operations) {
    if (is_for_many(operation) && retries(operation)) co_await retry(world, *control, operation);
  }
  for (const auto& [name, tenant] : view.tenants) {
    if (!is_ill(world, tenant)) continue;
    const OperationRow& last = *tenant.last();
    // What it needs is gone, an archive perhaps: something else has to be done.
    const bool in_vain = world.journal.was_retried(base::OperationId(last.id));
    const registry::State state = tenant.row->state;
    const bool never_was = last.kind == "tenant.restore" && state == registry::State::Failed;
    if (retries(last) && !in_vain) {
      co_await retry(world, *control, last);
    } else if (state == registry::State::Offboarding || never_was) {
      co_await make_leave(world, *control, tenant.row->id);
    } else {
      co_await touch(world, *control, tenant.row->id);
    }
  }
}

Task<void> offboard_all(World& world) {
  const View view = look(world);
  for (const registry::Account& account : view.accounts) {
    const auto control = world.control();
    if (!control) co_return;
    co_await make_leave(world, *control, account.id);
  }
}

Task<void> sweep(World& world) {
  const auto control = world.control();
  if (control) (void)co_await control->lifecycle().sweep_archives();
}

// The clock is right by then; what was off or leapt makes it disagree still.
Task<void> accept_clock(World& world) {
  const auto control = world.control();
  if (!control) co_return;
  const auto report = co_await control->keeper().report();
  if (!report || report->reading.standing == base::ClockStanding::Agrees) co_return;
  const auto ahead = std::chrono::duration_cast<std::chrono::milliseconds>(report->reading.ahead);
  const auto accepted = co_await control->keeper().accept(ahead, {"sim", ""});
  if (!accepted) world.fail("the clock cannot be accepted: " + accepted.error().message);
  const bool right = accepted && accepted->reading.time == world.base.clock.wall();
  if (accepted && !right) world.fail("the clock was accepted, but time is another one");
}

Task<void> resume_all(World& world) {
  std::vector<base::OperationId> paused;
  world.disk.look([&](store::Transaction& tx) -> base::Result<void> {
    TRY_ASSIGN(const auto rows, tx.exec("SELECT id FROM operation WHERE paused IS NOT NULL"));
    for (const store::Row& row : rows) paused.emplace_back(row.text(0));
    return {};
  });
  const auto control = world.control();
  if (!control) co_return;
  for (const base::OperationId& id : paused) {
    const auto resumed = co_await control->engine().resume(id);
    if (!resumed) world.fail("a paused operation cannot be resumed: " + resumed.error().message);
  }
}

void check_that_nothing_remains(World& world) {
  const View view = look(world);
  if (!view.accounts.empty()) world.fail(view.accounts.front().id.value + " did not leave");
  if (!world.cloud.accounts().empty())
    world.fail(world.cloud.accounts().begin()->first.value + " left its account behind");
  if (!view.slots.empty()) world.fail("slots are held by nobody");
  if (!view.archives.empty() || world.archives.size() > 0)
    world.fail("an archive outlives its tenant");
  if (!world.cloud.transfers().empty()) world.fail("a transfer is left behind");
}

std::int64_t count_operations(World& world) {
  std::int64_t count = 0;
  world.disk.look([&](store::Transaction& tx) -> base::Result<void> {
    TRY_ASSIGN(const auto rows, tx.exec("SELECT count(*) FROM operation WHERE state NOT IN "
                                        "('queued', 'running', 'waiting')"));
    count = rows.front().integer(0);
    return {};
  });
  return count;
}

void let_customers_act(World& world) {
  world.customers = world.options.customers;
  for (std::uint32_t i = 0; i < world.options.customers; ++i)
    world.spawn(live_as_customer(world, i));
  std::size_t checked = 0;
  while (world.customers > 0 && world.failure().empty()) {
    world.run_until(
        [&] {
          return world.customers == 0 || world.ended.size() >= checked + world.options.check_every;
        },
        24h);
    checked = world.ended.size();
    check_invariants(world, Moment::Always);
    if (world.base.clock.boot() > 60 * 24h) world.fail("customers never come to an end");
  }
}

}  // namespace

void bring_to_an_end(World& world) {
  world.calm();
  operate(world, accept_clock);
  operate(world, resume_all);
  wait_for_the_end(world);
  check_invariants(world, Moment::Settled);
  for (int round = 0; round < kRounds && world.failure().empty(); ++round) {
    if (!needs_mending(world)) break;
    operate(world, mend);
    wait_for_the_end(world);
    check_invariants(world, Moment::Settled);
  }
  if (world.failure().empty()) check_invariants(world, Moment::Mended);
  if (!world.failure().empty()) return;
  operate(world, offboard_all);
  wait_for_the_end(world);
  if (world.failure().empty()) check_invariants(world, Moment::Mended);
  // All archives are old enough then, and files that nobody knows an hour later.
  for (const auto pause : {96h, 2h}) {
    world.run_until([] { return false; }, pause);
    operate(world, sweep);
  }
  if (world.failure().empty()) check_that_nothing_remains(world);
}

Outcome run(const Options& options, const std::string& trace) {
  World world(options);
  if (!trace.empty()) world.trace.open(trace);
  world.trace.line("seed {}: {}", options.seed, describe(options));
  let_customers_act(world);
  if (world.failure().empty()) bring_to_an_end(world);
  world.stats.operations = static_cast<std::uint64_t>(count_operations(world));
  world.stats.repeated_calls = world.link.counts().twice + world.link.counts().late;
  world.stats.hung_calls = world.link.counts().hung;
  world.stats.time = world.base.clock.boot();
  return {.failure = world.failure(), .stats = world.stats};
}

}  // namespace granary::lifecycle::simulation
