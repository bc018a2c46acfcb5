// What runtimes look for in a silo: their limits, this machine's settings, room for temporary
// files. With real silos, as root.
#include <sys/stat.h>

#include <algorithm>

#include "agent/failure.h"
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
        path = '/sys/fs/cgroup/' + name
        if os.path.exists(path): return open(path).read().split()
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

// Node's listen({host: 'localhost'}) takes the first address, and the platform connects to
// 127.0.0.1.
TEST_F(RuntimeTest, LocalhostIsTheAddressThatThePlatformConnectsTo) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import socket
print('addresses', sorted({a[4][0] for a in socket.getaddrinfo('localhost', 80)}))
)");
  expect(text, "addresses ['127.0.0.1']");
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

// Threads count as processes do, and a program seldom says why it cannot start one.
TEST_F(RuntimeTest, TheLimitOfThreadsIsNamedWhereItIsReached) {
  make_account("acme", kDisk);
  SiloPlan plan = plan_for("acme", make_release(R"(
import os, threading, time
try:
    for _ in range(200): threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
except RuntimeError as e:
    print(e, flush=True)
    os._exit(3)
)"));
  auto door = doors_.open(plan.service);
  ASSERT_TRUE(door.has_value());
  plan.listener = door->get();
  auto silo = run(launcher_->start(plan));
  ASSERT_TRUE(silo.has_value()) << describe(silo.error());
  EXPECT_TRUE(run((*silo)->ended()).has_value());
  const auto usage = cgroups_->usage(plan.service);
  ASSERT_TRUE(usage.has_value());
  EXPECT_GT(usage->processes_refused, 0U);
  EXPECT_EQ(usage->processes_limit, plan.spec.limits.processes);
  const SiloEnd end = run(launcher_->clean_up(plan.service));
  EXPECT_TRUE(end.out_of_processes);
  EXPECT_NE(describe_end(end, plan.spec).find("limit of 64 processes and threads"),
            std::string::npos)
      << describe_end(end, plan.spec);
  doors_.close(plan.service, std::move(*door));
}

// A start has what it needs; what runs has its share, and is told its share at any time.
TEST_F(RuntimeTest, AStartMayUseMoreOfTheCpuAndSeesItsShareAllTheWhile) {
  make_account("acme", kDisk);
  SiloPlan plan = plan_for(
      "acme",
      make_release(http_app(
          "open([n for n in ('/sys/fs/cgroup/cpu.max', '/sys/fs/cgroup/cpu/cpu.cfs_quota_us') if "
          "os.path.exists(n)][0]).read().split()[0]")));
  plan.boosted = true;
  auto door = doors_.open(plan.service);
  ASSERT_TRUE(door.has_value());
  plan.listener = door->get();
  const auto silo = run(launcher_->start(plan));
  ASSERT_TRUE(silo.has_value()) << describe(silo.error());
  const auto quota = [&] {
    const auto layout = detect_layout();
    const std::string group = cgroup_name(folder_) + "/acme/api/";
    const std::string file = layout->v2.empty()
                                 ? layout->v1.at("cpu") + "/" + group + "cpu.cfs_quota_us"
                                 : layout->v2 + "/" + group + "cpu.max";
    return std::stol(base::os::read_file(file, 100).value_or("0"));
  };
  EXPECT_GE(quota(), 100'000);
  EXPECT_EQ(ask(plan.service, "x"), "50000");
  EXPECT_TRUE(run(launcher_->settle(plan.service, plan.spec.limits)).has_value());
  EXPECT_EQ(quota(), 50'000);
  EXPECT_EQ(ask(plan.service, "x"), "50000");
  (void)run(launcher_->clean_up(plan.service));
  doors_.close(plan.service, std::move(*door));
}

// inotify as Python's watchdog uses it: all events of a folder.
TEST_F(RuntimeTest, WatchingWorksWithoutTellingWhoReads) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import ctypes, errno, os, select, struct, threading
libc = ctypes.CDLL(None, use_errno=True)
ALL, OPEN, ONLYDIR, DONT_FOLLOW = 0xfff, 0x20, 0x1000000, 0x2000000
def add(fd, path, mask):
    wd = libc.inotify_add_watch(fd, path, mask)
    return wd if wd >= 0 else errno.errorcode[ctypes.get_errno()]
def events(fd):
    masks = set()
    while select.select([fd], [], [], 0.2)[0]:
        data = os.read(fd, 65536)
        while data:
            _, mask, _, length = struct.unpack_from('iIII', data)
            masks.add(mask & 0xfff); data = data[16 + length:]
    return sorted(masks)
fd = libc.inotify_init1(0o4000)
print('data', add(fd, b'/data', ALL))
open('/data/x', 'w').write('x'); open('/data/x').read()
print('events', [hex(e) for e in events(fd)])
os.chdir('/data'); os.mkdir('sub'); os.symlink('/data/sub', 'link'); events(fd)
print('relative', add(fd, b'sub', ALL) > 1, add(fd, b'./sub/..', ALL) == 1)
print('kinds', add(fd, b'x', ALL | ONLYDIR), add(fd, b'link', ALL | ONLYDIR) > 1,
      add(fd, b'link', ALL | DONT_FOLLOW) > 1)
print('errors', add(fd, b'none', ALL), add(fd, b'', ALL), add(99, b'x', ALL), add(0, b'x', ALL),
      add(fd, 1, ALL), add(fd, b'y' * 5000, ALL))
print('reading', add(fd, b'/data', OPEN), add(fd, b'/app/main.py', OPEN))
own = os.open('/data/sub', os.O_RDONLY)
print('self', add(fd, b'/proc/self/fd/%d' % own, ALL) > 1)
os.symlink('/proc/self/fd/4', 'deputy'); print('deputy', add(fd, b'deputy', ALL))
other = libc.inotify_init1(0o4000)
print('shared', add(other, b'/usr/bin', ALL)); open('/usr/bin/env', 'rb').read(1)
print('told', events(other))
found = []
thread = threading.Thread(target=lambda: found.append(add(other, b'/tmp', ALL)))
thread.start(); thread.join(); print('thread', found)
if os.fork() == 0: os._exit(0 if add(other, b'/data', ALL) == 3 else 1)
print('child', os.wait()[1])
pidfd = libc.syscall(434, os.getpid(), 0)
print('getfd', libc.syscall(438, pidfd, 1, 0), errno.errorcode[ctypes.get_errno()])
)");
  expect(text, "data 1");
  expect(text, "events ['0x2', '0x8', '0x100']");  // modified, closed after writing, made
  expect(text, "relative True True");
  expect(text, "kinds ENOTDIR True True");
  expect(text, "errors ENOENT ENOENT EBADF EINVAL EFAULT ENAMETOOLONG");
  expect(text, "reading EPERM EPERM");
  expect(text, "self True");
  expect(text, "deputy ELOOP");
  expect(text, "shared 1");
  expect(text, "told []");
  expect(text, "thread [2]");
  expect(text, "child 0");
  expect(text, "getfd -1 EPERM");
}

// All that the runtimes in /usr link to is there, but for what is left out on purpose.
TEST_F(RuntimeTest, WhatRuntimesLinkToLeadsSomewhere) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os
MEANT = ('/etc/ssl/private', '/etc/environment')
lost = 0
for name in ('jvm', 'ssl', 'php', 'python3', 'python3.11'):
    top = '/usr/lib/' + name
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
