#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/testing/host_fixture.h"
#include "base/os/file.h"

// How real control groups share the CPU between accounts.
namespace granary::agent {
namespace {

using base::AccountId;
using base::ServiceId;
using std::chrono::milliseconds;
using Use = Cgroups::CpuUse;

const AccountId kAcme("acme");
const ServiceId kApi{kAcme, "api"};

// A process that only waits; ends with this.
class Waiter {
 public:
  Waiter() : pid_(::fork()) {
    if (pid_ != 0) return;
    for (;;) ::pause();
  }
  ~Waiter() {
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  pid_t pid() const { return pid_; }
  std::string groups() const {
    return base::os::read_file(fmt::format("/proc/{}/cgroup", pid_), 1U << 16).value_or("");
  }

 private:
  pid_t pid_;
};

class HostCgroupsTest : public HostFixture {
 protected:
  // Of the CPU controller.
  static std::string read(const std::string& group, const std::string& file) {
    const auto layout = detect_layout();
    const std::string root = layout->v2.empty() ? layout->v1.at("cpu") : layout->v2;
    return base::os::read_file(root + "/" + group + "/" + file, 4096).value_or("no such file");
  }
  std::string idle() { return read(cgroup_name(folder_) + "/acme", "cpu.idle"); }
};

TEST_F(HostCgroupsTest, TheTimeThatAnAccountUsesIsCounted) {
  make_account("acme", 32ULL << 20);
  SiloPlan plan = plan_for(
      "acme", make_release(http_app("str(len([0 for _ in iter(lambda: "
                                    "__import__('time').process_time() < 0.5, False)]) > 0)")));
  auto door = doors_.open(plan.service);
  ASSERT_TRUE(door.has_value());
  plan.listener = door->get();
  const auto silo = run(launcher_->start(plan));
  ASSERT_TRUE(silo.has_value()) << describe(silo.error());
  EXPECT_EQ(ask(plan.service, "x"), "True");
  const auto used = cgroups_->cpu_time(kAcme);
  ASSERT_TRUE(used.has_value()) << describe(used.error());
  EXPECT_GT(*used, milliseconds(450));
  EXPECT_LT(*used, milliseconds(5'000));
  EXPECT_TRUE((*silo)->signal(SiloSignal::Kill).has_value());
  EXPECT_TRUE(run((*silo)->ended()).has_value());
  (void)run(launcher_->clean_up(plan.service));
  doors_.close(plan.service, std::move(*door));
  EXPECT_EQ(cgroups_->cpu_time(kAcme).error().code, base::Code::NotFound);
}

TEST_F(HostCgroupsTest, AnAccountStepsBackAndHasItsShareAgain) {
  ASSERT_TRUE(cgroups_->make(kApi, wire::Limits()).has_value());
  EXPECT_EQ(idle(), "0\n");
  EXPECT_TRUE(cgroups_->set_cpu_level(kAcme, Use::WhatIsLeft).has_value());
  EXPECT_EQ(idle(), "1\n");
  EXPECT_TRUE(cgroups_->set_cpu_level(kAcme, Use::Share).has_value());
  EXPECT_EQ(idle(), "0\n");
  EXPECT_TRUE(cgroups_->remove(kApi).has_value());
}

TEST_F(HostCgroupsTest, GroupsThatAreMadeAnewHaveTheirShare) {
  ASSERT_TRUE(cgroups_->make(kApi, wire::Limits()).has_value());
  EXPECT_TRUE(cgroups_->set_cpu_level(kAcme, Use::WhatIsLeft).has_value());
  EXPECT_TRUE(cgroups_->remove(kApi).has_value());
  EXPECT_FALSE(cgroups_->set_cpu_level(kAcme, Use::WhatIsLeft).has_value());
  ASSERT_TRUE(cgroups_->make(kApi, wire::Limits()).has_value());
  EXPECT_EQ(idle(), "0\n");
  EXPECT_TRUE(cgroups_->remove(kApi).has_value());
}

TEST_F(HostCgroupsTest, TheGatewayIsBesideTheAccountsAndIsNone) {
  const std::string group = cgroup_name(folder_ + "/other");
  {
    HostCgroups cgroups(*detect_layout(), group);
    const Waiter gateway;
    ASSERT_TRUE(cgroups.put_before_accounts(gateway.pid()).has_value());
    EXPECT_NE(gateway.groups().find(group + "/_platform\n"), std::string::npos) << gateway.groups();
    EXPECT_TRUE(cgroups.put_before_accounts(gateway.pid()).has_value());
    const auto services = cgroups.list();
    ASSERT_TRUE(services.has_value());
    EXPECT_TRUE(services->empty());
  }
  EXPECT_EQ(read(group, "cgroup.procs"), "no such file");
}

}  // namespace
}  // namespace granary::agent
