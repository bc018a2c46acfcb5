#include "agent/host/cgroup_layout.h"

#include <gtest/gtest.h>

namespace granary::agent {
namespace {

// As /proc/self/mounts has them.
constexpr const char* kV2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime 0 0\n";
constexpr const char* kHybrid =
    "tmpfs /sys/fs/cgroup tmpfs ro,mode=755 0 0\n"
    "cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0\n"
    "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
    "cgroup /sys/fs/cgroup/pids cgroup rw,relatime,pids 0 0\n";
constexpr const char* kTogether =
    "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n";
constexpr const char* kApart =
    "cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0\n"
    "cgroup /sys/fs/cgroup/cpuacct cgroup rw,relatime,cpuacct 0 0\n";
constexpr const char* kCpuset = "cgroup /sys/fs/cgroup/cpuset cgroup rw,relatime,cpuset 0 0\n";

TEST(CgroupLayout, VersionTwoWithAllControllersIsTakenAlone) {
  const auto layout = choose_layout({kV2, "cpuset cpu io memory hugetlb pids\n"});
  ASSERT_TRUE(layout.has_value());
  EXPECT_EQ(*layout, (CgroupLayout{"/sys/fs/cgroup", {}, {}}));
}

TEST(CgroupLayout, HybridTakesVersionOneWhereTheControllersAre) {
  const auto layout = choose_layout({std::string(kHybrid) + kTogether, "hugetlb\n"});
  ASSERT_TRUE(layout.has_value());
  EXPECT_EQ(layout->v2, "");
  EXPECT_EQ(layout->v1.at("cpu"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(layout->v1.at("cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(layout->v1.at("memory"), "/sys/fs/cgroup/memory");
  EXPECT_EQ(layout->v1.at("pids"), "/sys/fs/cgroup/pids");
}

TEST(CgroupLayout, ControllersThatAreMountedApartAreFoundApart) {
  const auto layout = choose_layout({std::string(kHybrid) + kApart, ""});
  ASSERT_TRUE(layout.has_value());
  EXPECT_EQ(layout->v1.at("cpu"), "/sys/fs/cgroup/cpu");
  EXPECT_EQ(layout->v1.at("cpuacct"), "/sys/fs/cgroup/cpuacct");
}

TEST(CgroupLayout, ControllersOfSimilarNamesAreNotMixedUp) {
  const auto layout = choose_layout({std::string(kHybrid) + kCpuset, ""});
  ASSERT_FALSE(layout.has_value());
  EXPECT_NE(layout.error().message.find("'cpu'"), std::string::npos);
}

TEST(CgroupLayout, AMissingControllerIsNamedWithAdvice) {
  const auto layout = choose_layout({std::string(kV2), "cpu pids\n"});
  ASSERT_FALSE(layout.has_value());
  EXPECT_EQ(layout.error().code, base::Code::NotSupported);
  EXPECT_FALSE(layout.error().advice.empty());
}

}  // namespace
}  // namespace granary::agent
