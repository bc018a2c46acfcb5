// What runtimes look for in a silo: their limits, this machine's settings, room for temporary
// files. With real silos, as root.
#include <sys/stat.h>

#include <algorithm>

#include "agent/testing/host_fixture.h"
#include "base/os/file.h"

namespace granary::agent {
namespace {

constexpr std::uint64_t kDisk = 128ULL << 20;

class RuntimeTest : public HostFixture {
 protected:
  void expect(const std::string& text, const std::string& line) {
    EXPECT_NE(text.find("out " + line + "\n"), std::string::npos) << line << " in\n" << text;
  }
};

TEST_F(RuntimeTest, ASiloSeesItsOwnLimits) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os
def read(*names):
    for name in names:
        if os.path.exists('/sys/fs/cgroup/' + name): return open('/sys/fs/cgroup/' + name).read().split()
print('memory', *read('memory.max', 'memory/memory.limit_in_bytes'))
print('cpu', *read('cpu.max', 'cpu/cpu.cfs_quota_us')[:1])
print('pids', *read('pids.max', 'pids/pids.max'))
)");
  expect(text, "memory 134217728");
  expect(text, "cpu 50000");
  expect(text, "pids 66");
}

// Whatever a runtime makes of /proc/self/mountinfo and /proc/self/cgroup leads to its own group.
TEST_F(RuntimeTest, NothingOfOthersIsSeenThereAndNothingCanBeWritten) {
  make_account("acme", kDisk);
  ASSERT_TRUE(cgroups_->make({base::AccountId("globex"), "api"}, wire::Limits()).has_value());
  const std::string text = run_inside("acme", R"(
import os
mounts = [l.split() for l in open('/proc/self/mountinfo') if ' - cgroup' in l]
print('roots', sorted({m[3] for m in mounts}), all('ro' in m[5].split(',') for m in mounts))
print('some', len(mounts) > 0)
found, writable, pids = [], [], set()
for folder, folders, files in os.walk('/sys/fs/cgroup'):
    if any(os.path.exists(folder + '/' + f) for f in ('tasks', 'cgroup.procs')):
        found += [folder + '/' + f for f in folders]
    for name in files:
        path = folder + '/' + name
        try: os.close(os.open(path, os.O_WRONLY)); writable.append(path)
        except OSError: pass
        if name in ('tasks', 'cgroup.procs'): pids |= set(open(path).read().split())
print('others', found, writable, sorted(pids - set(os.listdir('/proc'))  - {'0'}))
print('sys', os.listdir('/sys'), os.listdir('/sys/fs'))
print('group', {l.split(':')[2].strip() for l in open('/proc/self/cgroup')})
)");
  expect(text, "roots ['/'] True");
  expect(text, "some True");
  expect(text, "others [] [] []");
  expect(text, "sys ['fs'] ['cgroup']");
  expect(text, "group {'/'}");
  EXPECT_TRUE(cgroups_->remove({base::AccountId("globex"), "api"}).has_value());
}

TEST_F(RuntimeTest, TemporaryFilesMayUseTheAccountsDisk) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os, tempfile
print('folder', tempfile.gettempdir(), os.stat('/var/tmp').st_dev == os.stat('/data').st_dev)
with tempfile.NamedTemporaryFile(delete=False) as file:
    for _ in range(90): file.write(b'x' * (1 << 20))
os.makedirs('/var/tmp/left/behind')
print('data', sorted(os.listdir('/data')))
)");
  expect(text, "folder /var/tmp True");
  EXPECT_TRUE(text.find("out data []\n") != std::string::npos ||
              text.find("out data ['lost+found']\n") != std::string::npos)
      << text;
  const std::string next = run_inside("acme", "import os; print('left', os.listdir('/var/tmp'))");
  expect(next, "left []");
}

TEST_F(RuntimeTest, AnAppWhoseDiskIsFullOfTemporaryFilesStartsAndHasRoomAgain) {
  make_account("acme", kDisk);
  (void)run_inside("acme", R"(
with open('/var/tmp/big', 'wb', buffering=0) as file:
    try:
        while True: file.write(b'x' * (1 << 20))
    except OSError as e: print(e)
)");
  const std::string next = run_inside("acme", R"(
with open('/data/kept', 'wb') as file: file.write(b'x' * (50 << 20))
print('fits')
)");
  expect(next, "fits");
}

TEST_F(RuntimeTest, TheServicesOfAnAccountShareItsTemporaryFilesWhileOneOfThemRuns) {
  make_account("acme", kDisk);
  SiloPlan plan = plan_for("acme", make_release(http_app("open('/var/tmp/x', 'w').write('abc')")));
  auto door = doors_.open(plan.service);
  ASSERT_TRUE(door.has_value());
  plan.listener = door->get();
  auto silo = run(launcher_->start(plan));
  ASSERT_TRUE(silo.has_value()) << describe(silo.error());
  EXPECT_EQ(ask(plan.service, "x"), "3");
  SiloPlan other = plan_for("acme", make_release(http_app("open('/var/tmp/x').read()")));
  other.service.service = other.spec.name = "worker";
  auto second_door = doors_.open(other.service);
  other.listener = second_door->get();
  auto second = run(launcher_->start(other));
  ASSERT_TRUE(second.has_value()) << describe(second.error());
  EXPECT_EQ(ask(other.service, "x"), "abc");
  for (const SiloPlan* each : {&plan, &other}) (void)run(launcher_->clean_up(each->service));
  doors_.close(plan.service, std::move(*door));
  doors_.close(other.service, std::move(*second_door));
}

// All that the runtimes in /usr link to is there, but for what is left out on purpose.
TEST_F(RuntimeTest, WhatRuntimesLinkToLeadsSomewhere) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os
MEANT = ('/etc/ssl/private', '/etc/environment')
lost = 0
for top in ('/usr/lib/jvm', '/usr/lib/ssl', '/usr/lib/php', '/usr/lib/python3', '/usr/lib/python3.11'):
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            if not os.path.islink(path) or os.path.exists(path): continue
            target = os.path.realpath(path)
            if target.startswith(('/etc/', '/var/')) and not target.startswith(MEANT):
                print('lost', path, target); lost += 1
print('count', lost)
print('shadow', os.path.exists('/etc/shadow'), os.path.exists('/etc/ssl/private'))
)");
  expect(text, "count 0");
  expect(text, "shadow False False");
}

}  // namespace
}  // namespace granary::agent
