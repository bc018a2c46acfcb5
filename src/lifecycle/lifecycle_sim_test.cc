#include <gtest/gtest.h>

#include <charconv>
#include <set>

#include "base/os/system.h"
#include "lifecycle/testing/control_world.h"

// Simulated worlds from seeds. GRANARY_SIM_SEED and GRANARY_SIM_RUNS choose which and how many;
// `./dev sim --seed N` repeats one.
namespace granary::lifecycle {
namespace {

using base::AccountId;
using testing::ControlWorld;

std::uint64_t number_from(const std::string& name, std::uint64_t fallback) {
  const auto text = base::os::environment(name);
  if (!text) return fallback;
  std::uint64_t value = fallback;
  std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

// Tenants come and go by the seed's choice.
class Customers final {
 public:
  Customers(ControlWorld& control, std::uint64_t seed) : control_(control), choice_(seed) {}

  void act() {
    const std::uint64_t kind = choice_.below(10);
    const AccountId id(fmt::format("t{}", choice_.below(15)));
    if (kind < 5) {
      if (control_.create(id.value)) expected_.insert(id.value);
    } else if (kind < 7) {
      const auto gone = control_.world.run(
          control_.lifecycle->offboard({id, std::chrono::milliseconds(0)}, {"sim", ""}));
      if (gone) expected_.erase(id.value);
    } else if (kind < 8) {
      (void)control_.world.run(control_.lifecycle->suspend(id, {"sim", ""}));
    } else if (kind < 9) {
      (void)control_.world.run(control_.lifecycle->resume(id, {"sim", ""}));
    } else {
      UpdateTenant request;
      request.id = id;
      request.release = "insight-2";
      (void)control_.world.run(control_.lifecycle->update(request, {"sim", ""}));
    }
  }
  void pass_time() {
    control_.world.advance(std::chrono::milliseconds(choice_.below(120)));
    if (choice_.below(20) == 0) control_.world.clock.jump_wall(-std::chrono::minutes(30));
  }
  bool wants_crash() { return choice_.below(3) == 0; }
  const std::set<std::string>& expected() const { return expected_; }

 private:
  ControlWorld& control_;
  base::testing::SeededRng choice_;
  std::set<std::string> expected_;
};

// Tenants and accounts are the same set, each account as its tenant's row says.
void check_invariants(ControlWorld& control, const std::set<std::string>& expected) {
  std::set<std::string> accounts;
  for (const auto& [id, desired] : control.cloud.accounts()) accounts.insert(id.value);
  EXPECT_EQ(accounts, expected);
  std::set<std::uint32_t> ordinals;
  for (const std::string& name : expected) {
    const auto row = control.get(name);
    ASSERT_TRUE(row.has_value()) << name;
    ASSERT_TRUE(control.cloud.accounts().contains(row->id)) << name;
    const cloud::Desired& real = control.cloud.accounts().at(row->id);
    const bool allowed = real.traffic == cloud::Traffic::Allowed;
    EXPECT_EQ(row->state, allowed ? registry::State::Active : registry::State::Suspended) << name;
    EXPECT_EQ(row->desired_release, real.release_hash) << name;
    EXPECT_TRUE(ordinals.insert(row->ordinal).second) << name;
  }
}

TEST(LifecycleSimTest, NoTenantIsLostDoubledOrOrphanedHoweverOftenControlDies) {
  const std::uint64_t first = number_from("GRANARY_SIM_SEED", 1);
  const std::uint64_t runs = number_from("GRANARY_SIM_RUNS", 25);
  for (std::uint64_t seed = first; seed < first + runs; ++seed) {
    SCOPED_TRACE(fmt::format("repeat with: ./dev sim --seed {}", seed));
    ControlWorld control(seed, {.refuse = 0.1, .lose_answer = 0.1});
    Customers customers(control, seed * 977);
    for (int i = 0; i < 30; ++i) {
      customers.act();
      customers.pass_time();
      if (customers.wants_crash()) control.crash();
    }
    control.finish_all();
    check_invariants(control, customers.expected());
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace granary::lifecycle
