#include "lifecycle/testing/simulation/boundaries.h"

#include "lifecycle/testing/simulation/invariants.h"
#include "lifecycle/testing/simulation/run.h"
#include "lifecycle/testing/simulation/scenarios.h"

namespace granary::lifecycle::simulation {
namespace {

using base::Task;
using store::testing::Fate;
using namespace std::chrono_literals;

// Asks until there is an answer, as a client does that control's crashes do not discourage.
Task<void> ask_until_answered(World& world, Call& call, Customer::Ask ask) {
  Customer customer(world, 1'000 + call.number);
  while (call.status != Call::Status::Acknowledged && call.status != Call::Status::Refused) {
    co_await customer.request(call, ask);
    co_await world.pause(1s);
  }
}

// And waits for the end of what was started.
void do_one(World& world, const Make& make) {
  const Asked asked = make(world);
  Call& call = world.journal.begin(asked.kind, asked.tenant, asked.applies);
  call.applies_globally = asked.applies_globally;
  if (asked.kind == "tenant.restore")
    world.apps.restoring(base::AccountId(asked.tenant), call,
                         world.archives.data_of(world.archives.ids().front()));
  world.spawn(ask_until_answered(world, call, asked.ask));
  const auto answered = [&call] {
    return call.status == Call::Status::Acknowledged || call.status == Call::Status::Refused;
  };
  if (!world.run_until(answered, 1h)) world.fail("a request gets no answer");
  if (call.status == Call::Status::Refused)
    world.fail(fmt::format("{} of '{}' was refused", asked.kind, asked.tenant));
  const auto ended = [&] {
    const View view = look(world);
    return std::ranges::all_of(view.operations, [](const OperationRow& operation) {
      return operation::is_final(operation.state);
    });
  };
  for (int i = 0; i < 24 && world.failure().empty() && !ended(); ++i)
    world.run_until([] { return false; }, 10min);
}

class Runner final {
 public:
  explicit Runner(const Scenario& scenario) : scenario_(scenario) { result_.name = scenario.name; }

  BoundaryResult run(Depth depth) {
    const World::Arms none;
    const auto [writes, calls] = world_with(none, "without faults");
    const bool pairs = depth == Depth::PairsOfCrashes;
    for (std::uint64_t write = 1; write <= writes; ++write) fail_at_write(write);
    for (std::uint64_t call = 1; call <= calls; ++call)
      world_with({.writes = {}, .calls = {call}}, "call");
    // The second crash is at each write and call after the first, in the second life too.
    for (std::uint64_t write = 1; pairs && write <= writes; ++write) {
      for (std::uint64_t next = write + 1; next <= writes + 4; ++next) crash_at_two(write, next);
    }
    for (std::uint64_t call = 1; pairs && call <= calls; ++call) {
      for (std::uint64_t next = call + 1; next <= calls + 2; ++next)
        world_with({.writes = {}, .calls = {call, next}}, "calls");
    }
    return result_;
  }

 private:
  void fail_at_write(std::uint64_t write) {
    using enum Fate;
    for (const Fate fate :
         {FailBefore, FailInside, LoseAnswer, CrashBefore, CrashInside, CrashAfter})
      world_with({.writes = {{write, fate}}, .calls = {}}, "write");
  }
  void crash_at_two(std::uint64_t write, std::uint64_t next) {
    using enum Fate;
    for (const Fate first : {CrashBefore, CrashAfter}) {
      for (const Fate second : {CrashBefore, CrashAfter})
        world_with({.writes = {{write, first}, {next, second}}, .calls = {}}, "writes");
    }
  }
  std::pair<std::uint64_t, std::uint64_t> world_with(const World::Arms& arms, const char* what) {
    if (!result_.failure.empty()) return {};
    Options options;
    options.seed = 1 + result_.worlds;
    options.tenants = 1;
    options.lease_renews = std::chrono::hours(24 * 30);  // a renewal is no boundary of an operation
    World world(options);
    ++result_.worlds;
    for (const Make& make : scenario_.before) do_one(world, make);
    world.arm(arms);
    do_one(world, scenario_.act);
    const std::pair<std::uint64_t, std::uint64_t> counted{world.writes(), world.calls()};
    if (world.failure().empty()) check(world);
    if (world.failure().empty()) bring_to_an_end(world);
    if (!world.failure().empty()) result_.failure = describe(arms, what) + world.failure();
    return counted;
  }

  void check(World& world) const {
    check_invariants(world, Moment::Settled);
    for (const View view = look(world); const OperationRow& operation : view.operations) {
      if (operation.state != operation::State::Succeeded)
        world.fail(fmt::format("{} is {} in the end: {}", operation.kind,
                               operation::to_string(operation.state),
                               operation.error ? operation.error->message : ""));
    }
    const std::string wrong = scenario_.end(world);
    if (!wrong.empty()) world.fail(wrong);
  }

  static std::string describe(const World::Arms& arms, const char* what) {
    std::string text = what;
    for (const auto& [write, fate] : arms.writes)
      text += fmt::format(" {} (fate {})", write, static_cast<int>(fate));
    for (const std::uint64_t call : arms.calls) text += fmt::format(" {}", call);
    return text + ": ";
  }

  const Scenario& scenario_;
  BoundaryResult result_;
};

}  // namespace

std::vector<BoundaryResult> crash_at_every_boundary(Depth depth, Part part) {
  std::vector<BoundaryResult> results;
  const std::vector<Scenario> all = scenarios();
  for (std::size_t i = part.first; i < all.size(); i += part.of)
    results.push_back(Runner(all[i]).run(depth));
  return results;
}

}  // namespace granary::lifecycle::simulation
