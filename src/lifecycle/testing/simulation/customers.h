// Customers and operators: they ask for what actions.cc lists, many at the same time, as clients of
// the API do, which try again when they get no answer. On the world's executor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lifecycle/testing/simulation/world.h"

namespace granary::lifecycle::simulation {

class Customer final {
 public:
  Customer(World& world, std::uint64_t number);

  World& world() { return world_; }
  std::uint64_t pick(std::uint64_t below) { return choice_.below(below); }
  bool chance(double of) { return choice_.unit() < of; }
  // One of the world's names, of which a few are much asked for.
  std::string some_tenant();
  const ReleaseName& some_release() { return kReleases[pick(kReleases.size())]; }
  // Never the same twice.
  std::string some_value() { return fmt::format("v{}", ++values_); }

  using Ask = std::function<base::Task<base::Result<operation::Operation>>(Lifecycle&, Caller)>;
  // Asks until it is answered, at most a few times, with one idempotency key or none.
  enum class Key { Yes, No };
  base::Task<void> request(Call& call, Ask ask, Key key = Key::Yes);

 private:
  enum class Answer { Final, Lost };
  Answer take(Call& call, const base::Result<operation::Operation>& answer, const Control& by);

  World& world_;
  std::uint64_t values_;
  base::testing::SeededRng choice_;
};

// What requests do to a tenant's configuration once they are recorded.
void apply(const CreateTenant& create, Expected& expected);
void apply(const UpdateTenant& update, Expected& expected);
// A new tenant that is restored from this archive, which the world has.
std::function<void(Expected&)> restored_from(const World& world, const std::string& archive);

struct Action {
  const char* name;
  std::uint32_t weight;  // how often, compared with the others
  base::Task<void> (*act)(Customer&);
};
// All that customers and operators do, by topic. To add one: a function and a line in its table.
const std::vector<Action>& tenant_actions();
const std::vector<Action>& data_actions();
const std::vector<Action>& fleet_actions();

// Asks for random things until the world's number of requests is reached; world.customers is one
// less then.
base::Task<void> live_as_customer(World& world, std::uint64_t number);

}  // namespace granary::lifecycle::simulation
