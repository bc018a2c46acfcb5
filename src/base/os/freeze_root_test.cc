#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "base/os/child.h"
#include "base/os/detached_mount.h"
#include "base/os/file.h"
#include "base/os/freeze.h"
#include "base/os/loop_device.h"
#include "base/os/process.h"

namespace granary::base::os {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kLong{60'000};  // no test waits for it

// A small ext4 in a file, mounted nowhere.
class FreezeTest : public ::testing::Test {
 public:
  ~FreezeTest() override {
    mount_.reset();
    (void)remove_tree(folder_);
  }

 protected:
  FreezeTest() {
    std::string name = "/tmp/granary-freeze-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  void SetUp() override {
    if (!is_root()) GTEST_SKIP() << "needs root: mounting";
    const std::string image = folder_ + "/image";
    ASSERT_EQ(run_program({"/sbin/mke2fs", "-q", "-F", "-t", "ext4", image, "16m"}, seconds(60))
                  .value()
                  .exit_code,
              0);
    auto device = attach_loop(image, milliseconds(1'000), [] { return Result<void>(); });
    ASSERT_TRUE(device.has_value()) << describe(device.error());
    device_ = std::move(*device);
    auto mounted = mount();
    ASSERT_TRUE(mounted.has_value()) << describe(mounted.error());
    mount_ = std::move(*mounted);
  }
  Result<Fd> mount(DetachedMountOptions::Access access = DetachedMountOptions::Access::ReadWrite) {
    return mount_detached({.device = device_.path,
                           .type = "ext4",
                           .options = "noinit_itable,errors=remount-ro",
                           .access = access});
  }
  // On a thread of its own: it may have to wait.
  std::future<bool> write_later(const std::string& name) {
    return std::async(std::launch::async, [path = path_of(mount_) + "/" + name] {
      return replace_file(path, "written", 0600, Durability::Synced).has_value();
    });
  }
  bool writes_at_once() { return write_later("probe").wait_for(seconds(20)) == kReady; }
  static constexpr auto kReady = std::future_status::ready;
  static constexpr auto kWaiting = std::future_status::timeout;

  std::string folder_;
  LoopDevice device_;
  Fd mount_;
};

TEST_F(FreezeTest, WritersWaitAndGoOnWithoutAnError) {
  auto freeze = Freeze::begin(mount_, kLong);
  ASSERT_TRUE(freeze.has_value()) << describe(freeze.error());
  auto written = write_later("file");
  EXPECT_EQ(written.wait_for(milliseconds(200)), kWaiting);
  EXPECT_EQ(Freeze::begin(mount_, kLong).error().code, Code::Conflict);
  const auto paused = (*freeze)->end();
  ASSERT_TRUE(paused.has_value()) << describe(paused.error());
  EXPECT_GE(*paused, milliseconds(200));
  EXPECT_LT(*paused, seconds(20));
  EXPECT_TRUE(written.get());
}

TEST_F(FreezeTest, WhenItsTimeIsUpItEndsByItselfAndSaysSo) {
  auto freeze = Freeze::begin(mount_, milliseconds(50));
  ASSERT_TRUE(freeze.has_value());
  EXPECT_TRUE(writes_at_once());
  EXPECT_EQ((*freeze)->end().error().code, Code::Deadline);
}

TEST_F(FreezeTest, ItEndsWithItsObject) {
  ASSERT_TRUE(Freeze::begin(mount_, kLong).has_value());
  EXPECT_TRUE(writes_at_once());
}

TEST_F(FreezeTest, ItEndsWhenTheProcessIsKilled) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto freeze = Freeze::begin(mount_, kLong);
    ::kill(::getpid(), freeze ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_EQ(WTERMSIG(status), SIGKILL);  // it was frozen
  EXPECT_TRUE(writes_at_once());
}

TEST_F(FreezeTest, WhatNobodyEndsIsThawed) {
  ASSERT_EQ(::ioctl(mount_.get(), FIFREEZE, 0), 0);
  auto second = mount();  // as an agent does that starts anew
  ASSERT_TRUE(second.has_value()) << describe(second.error());
  EXPECT_TRUE(thaw(*second).has_value());
  EXPECT_TRUE(writes_at_once());
  EXPECT_TRUE(thaw(*second).has_value());  // not frozen: as well
}

TEST_F(FreezeTest, TwoDetachedMountsOfADeviceAreOneFileSystem) {
  ASSERT_TRUE(write_later("file").get());
  auto second = mount();
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(read_file(path_of(*second) + "/file", 100).value(), "written");
  EXPECT_EQ(mount(DetachedMountOptions::Access::ReadOnly).error().code, Code::Conflict);
}

TEST_F(FreezeTest, AReadOnlyMountTakesNoWrites) {
  ASSERT_TRUE(write_later("file").get());
  mount_.reset();
  auto only = mount(DetachedMountOptions::Access::ReadOnly);
  ASSERT_TRUE(only.has_value()) << describe(only.error());
  EXPECT_EQ(read_file(path_of(*only) + "/file", 100).value(), "written");
  EXPECT_EQ(remove_file(path_of(*only) + "/file").error().code, Code::Refused);
}

TEST_F(FreezeTest, NothingOfItShowsInTheListOfMounts) {
  const auto mounts = read_file("/proc/self/mounts", 1U << 20);
  EXPECT_EQ(mounts->find(device_.path + " "), std::string::npos);
}

}  // namespace
}  // namespace granary::base::os
