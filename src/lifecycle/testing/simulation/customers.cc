#include "lifecycle/testing/simulation/customers.h"

#include <numeric>

namespace granary::lifecycle::simulation {

using base::Code;
using base::Result;
using base::Task;
using operation::Operation;
using namespace std::chrono_literals;

namespace {

constexpr int kTries = 6;

// Whether the answer leaves open what has happened.
bool is_lost(Code code) {
  switch (code) {
    case Code::Unavailable:
    case Code::Deadline:
    case Code::Cancelled:
    case Code::Exhausted:
    case Code::NoRoom:
    case Code::Internal:
      return true;
    case Code::InvalidArgument:
    case Code::Unauthenticated:
    case Code::Refused:
    case Code::NotFound:
    case Code::AlreadyExists:
    case Code::Conflict:
    case Code::NotSupported:
    case Code::DataLoss:
      return false;
  }
  return false;
}

}  // namespace

Customer::Customer(World& world, std::uint64_t number)
    : world_(world), values_(number * 1'000'000), choice_(world.options.seed * 104'729 + number) {}

std::string Customer::some_tenant() {
  const std::uint64_t names = world_.options.tenants;
  const std::uint64_t few = std::max<std::uint64_t>(1, names / 10);
  return fmt::format("t{}", chance(0.3) ? pick(few) : pick(names));
}

Customer::Answer Customer::take(Call& call, const Result<Operation>& answer, const Control& by) {
  const bool acknowledged = call.status == Call::Status::Acknowledged;
  const bool lost = by.dead() || (!answer && is_lost(answer.error().code));
  if (lost) {
    if (!acknowledged) call.status = Call::Status::Unknown;
    return Answer::Lost;
  }
  if (!answer) {
    if (acknowledged)
      world_.fail(fmt::format("{} was acknowledged as {}, and refused under the same key: {}",
                              call.actor(), call.operation.value, answer.error().message));
    call.status = Call::Status::Refused;
    return Answer::Final;
  }
  if (!call.operation.empty() && call.operation != answer->id)
    world_.fail(fmt::format("the idempotency key {} of {} gave operation {} and then {}", call.key,
                            call.actor(), call.operation.value, answer->id.value));
  world_.journal.acknowledge(call, answer->id);
  return Answer::Final;
}

Task<void> Customer::request(Call& call, Ask ask, Key key) {
  if (key == Key::Yes) call.key = "k" + std::to_string(call.number);
  ++world_.stats.requests;
  // Some ask once more although they were answered, as clients do whose connection broke.
  const int wanted = key == Key::Yes && chance(0.1) ? 2 : 1;
  int answered = 0;
  for (int i = 0; i < kTries && answered < wanted; ++i) {
    const std::shared_ptr<Control> control = world_.control();
    if (!control) {
      co_await world_.pause(std::chrono::milliseconds(200 + pick(2'000)));
      continue;
    }
    const Result<Operation> answer =
        co_await ask(control->lifecycle(), Caller{call.actor(), call.key});
    const Answer how = take(call, answer, *control);
    world_.trace.line("{} {} {}: {}", call.actor(), call.kind, call.tenant,
                      answer ? answer->id.value : answer.error().message);
    if (how == Answer::Final) ++answered;
    if (call.status == Call::Status::Refused || key == Key::No) break;
    co_await world_.pause(std::chrono::milliseconds(100 + pick(1'000)));
  }
  // Nobody could ever tell it: it was not even sent.
  if (call.status == Call::Status::Flying) call.status = Call::Status::Unknown;
}

namespace {

std::vector<Action> all_actions() {
  std::vector<Action> all = tenant_actions();
  all.insert(all.end(), data_actions().begin(), data_actions().end());
  all.insert(all.end(), fleet_actions().begin(), fleet_actions().end());
  return all;
}

const Action& some_action(Customer& customer) {
  static const std::vector<Action> all = all_actions();
  static const std::uint32_t weights =
      std::accumulate(all.begin(), all.end(), 0U,
                      [](std::uint32_t sum, const Action& action) { return sum + action.weight; });
  auto dice = static_cast<std::uint32_t>(customer.pick(weights));
  for (const Action& action : all) {
    if (dice < action.weight) return action;
    dice -= action.weight;
  }
  return all.front();
}

}  // namespace

Task<void> live_as_customer(World& world, std::uint64_t number) {
  Customer customer(world, number);
  const auto think = static_cast<std::uint64_t>(world.options.think.count());
  while (world.requests_left > 0 && world.failure().empty()) {
    --world.requests_left;
    co_await some_action(customer).act(customer);
    co_await world.pause(std::chrono::milliseconds(1 + customer.pick(2 * think)));
  }
  --world.customers;
}

}  // namespace granary::lifecycle::simulation
