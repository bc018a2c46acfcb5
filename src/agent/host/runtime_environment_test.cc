#include "agent/host/runtime_environment.h"

#include <gtest/gtest.h>

#include <map>

namespace granary::agent {
namespace {

std::map<std::string, std::string> variables(std::uint32_t cpu_millis, unsigned cores) {
  wire::Limits limits;
  limits.memory_bytes = 100'000'000;
  limits.cpu_millis = cpu_millis;
  const Variables list = runtime_variables(limits, cores);
  return {list.begin(), list.end()};
}

TEST(RuntimeEnvironmentTest, ThreadsAreCountedByTheLimitAndNotByTheMachine) {
  auto half = variables(500, 64);
  EXPECT_EQ(half["GOMAXPROCS"], "2");
  EXPECT_EQ(half["PYTHON_CPU_COUNT"], "1");
  EXPECT_EQ(half["OMP_NUM_THREADS"], "1");
  auto more = variables(2'500, 64);
  EXPECT_EQ(more["GOMAXPROCS"], "3");
  EXPECT_EQ(more["PYTHON_CPU_COUNT"], "3");
}

TEST(RuntimeEnvironmentTest, NeverMoreThreadsThanTheMachineHasCores) {
  auto large = variables(8'000, 4);
  EXPECT_EQ(large["GOMAXPROCS"], "4");
  EXPECT_EQ(large["PYTHON_CPU_COUNT"], "4");
  auto one = variables(8'000, 1);
  EXPECT_EQ(one["GOMAXPROCS"], "1");
  EXPECT_EQ(one["OMP_NUM_THREADS"], "1");
}

TEST(RuntimeEnvironmentTest, GoCollectsBeforeItReachesTheLimit) {
  EXPECT_EQ(variables(500, 2)["GOMEMLIMIT"], "90000000");
}

TEST(RuntimeEnvironmentTest, NodeIsToldItsHeapWhereItWouldTakeMoreThanThereIs) {
  wire::Limits limits;
  limits.memory_bytes = 128ULL << 20;
  const Variables small = runtime_variables(limits, 2);
  EXPECT_EQ(small.back(),
            (std::pair<std::string, std::string>("NODE_OPTIONS", "--max-old-space-size=64")));
  limits.memory_bytes = 512ULL << 20;
  for (const auto& [name, value] : runtime_variables(limits, 2)) EXPECT_NE(name, "NODE_OPTIONS");
}

TEST(RuntimeEnvironmentTest, AppsBelieveWhatTheGatewaySaysOfAClient) {
  EXPECT_EQ(variables(500, 2)["FORWARDED_ALLOW_IPS"], "*");
}

}  // namespace
}  // namespace granary::agent
