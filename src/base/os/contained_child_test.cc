#include "base/os/contained_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/os/process.h"

namespace granary::base::os {
namespace {

constexpr std::chrono::seconds kLimit{10};

Result<int> run(const ContainedChildOptions& options) {
  TRY_ASSIGN(const ContainedChild child, start_contained(options));
  TRY(wait_for_end(child.pidfd.get(), kLimit));
  return reap(child.pid);
}

TEST(ContainedChildTest, HasExactlyTheDescriptorsItIsGiven) {
  const auto file = memory_file("given", "");
  ASSERT_TRUE(file.has_value());
  const int stray = ::open("/dev/null", O_RDONLY);  // left by whoever started this process
  ContainedChildOptions options;
  options.argv = {"/bin/sh", "-c", "test \"$(cd /proc/self/fd && echo *)\" = '0 1 2 3 7'"};
  options.descriptors = {{file->get(), 7}};
  EXPECT_EQ(run(options), 0);  // 3 is the folder that the shell itself looks at
  ::close(stray);
}

// An agent with a thousand running silos.
TEST(ContainedChildTest, AParentWithManyDescriptorsCanStartIt) {
  raise_descriptor_limit();
  std::vector<Fd> many;
  for (int i = 0; i < 1'500; ++i) {
    auto file = open_file("/dev/null", O_RDONLY, 0);
    ASSERT_TRUE(file.has_value());
    many.push_back(std::move(*file));
  }
  ContainedChildOptions options;
  options.argv = {"/bin/sh", "-c", "test \"$(ulimit -Sn)\" -le 1024"};
  options.descriptors = {{many.back().get(), 3}};
  EXPECT_EQ(run(options), 0);
}

TEST(ContainedChildTest, AStepThatFailsIsNamed) {
  ContainedChildOptions options;
  options.argv = {"/no/such/program"};
  const auto failed = start_contained(options);
  ASSERT_FALSE(failed.has_value());
  EXPECT_NE(describe(failed.error()).find("executing the program"), std::string::npos);
}

}  // namespace
}  // namespace granary::base::os
