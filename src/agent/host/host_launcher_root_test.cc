#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "agent/host/host_launcher.h"
#include "agent/testing/host_fixture.h"
#include "base/os/file.h"
#include "base/os/process.h"

namespace granary::agent {
namespace {

using base::Code;
using base::ServiceId;
using base::os::Fd;

constexpr std::uint64_t kDisk = 32ULL << 20;

class HostLauncherTest : public HostFixture {
 protected:
  // A running app and its door.
  struct Running {
    SiloPlan plan;
    Fd door;
    std::unique_ptr<Silo> silo;
  };
  Running start(const std::string& account, const std::string& program) {
    Running running;
    make_account(account, kDisk);
    running.plan = plan_for(account, make_release(program));
    auto door = doors_.open(running.plan.service);
    EXPECT_TRUE(door.has_value()) << describe(door.error());
    running.door = std::move(*door);
    running.plan.listener = running.door.get();
    auto silo = run(launcher_->start(running.plan));
    EXPECT_TRUE(silo.has_value()) << describe(silo.error());
    if (silo) running.silo = std::move(*silo);
    return running;
  }
  SiloEnd stop(Running& running, SiloSignal how) {
    EXPECT_TRUE(running.silo->signal(how).has_value());
    EXPECT_TRUE(run(running.silo->ended()).has_value());
    SiloEnd end = run(launcher_->clean_up(running.plan.service));
    doors_.close(running.plan.service, std::move(running.door));
    return end;
  }
};

TEST_F(HostLauncherTest, AStartedSiloAnswersAndEndsWhenAsked) {
  Running running = start("acme", http_app("b'hello'.decode() + str(os.getuid())"));
  EXPECT_EQ(ask(running.plan.service, "x"), "hello1000");
  const SiloEnd end = stop(running, SiloSignal::Stop);
  EXPECT_TRUE(end.asked);
  EXPECT_EQ(end.kind, SiloEnd::Kind::Signalled);
  EXPECT_EQ(end.value, SIGTERM);
  EXPECT_FALSE(base::os::exists(paths_.silo_record(running.plan.service)));
  EXPECT_FALSE(base::os::exists(paths_.socket(running.plan.service)));
  EXPECT_TRUE(run(launcher_->leftovers()).empty());
}

TEST_F(HostLauncherTest, WhatAnAppWritesToItsDiskIsThereInItsNextLife) {
  make_account("acme", kDisk);
  EXPECT_EQ(run_inside("acme", "open('/data/x', 'w').write('kept')"),
            "sys ended with exit code 0\n");
  const std::string text = run_inside("acme", "print(open('/data/x').read())");
  EXPECT_NE(text.find("out kept\n"), std::string::npos) << text;
}

TEST_F(HostLauncherTest, ASiloSeesOnlyWhatIsItsOwn) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os, json, socket
print('procs', sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))
print('root', sorted(os.listdir('/')))
print('config', json.load(open('/run/config.json')))
print('release', os.environ['APP_RELEASE'], os.environ['DATA_DIR'], os.environ['SECRETS_DIR'])
print('host', socket.gethostname(), os.listdir('/sys'))
print('net', [n for _, n in socket.if_nameindex()])
print('fds', sorted(os.listdir('/proc/self/fd')))
marks = ('CapEff', 'CapBnd', 'NoNewPrivs', 'Seccomp:')
print('caps', [l.split()[1] for l in open('/proc/self/status') if l.startswith(marks)])
)");
  EXPECT_NE(text.find("out procs [1, 2]"), std::string::npos) << text;
  EXPECT_NE(text.find("out root ['app', 'bin', 'data', 'dev', 'etc', 'lib', 'lib64', 'proc', "
                      "'run', 'sbin', 'sys', 'tmp', 'usr', 'var']"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("out config {'flag': True}"), std::string::npos) << text;
  EXPECT_NE(text.find("out release test-release /data /run/secrets"), std::string::npos) << text;
  EXPECT_NE(text.find("out host silo ['fs']"), std::string::npos) << text;
  EXPECT_NE(text.find("out net ['lo']"), std::string::npos) << text;
  EXPECT_NE(text.find("out fds ['0', '1', '2', '3', '4']"), std::string::npos) << text;
  EXPECT_NE(text.find("out caps ['0000000000000000', '0000000000000000', '1', '2']"),
            std::string::npos)
      << text;
}

TEST_F(HostLauncherTest, ASiloCannotChangeWhatIsNotItsOwn) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os, ctypes, errno
def attempt(what, f):
    try:
        f(); print(what, 'DONE')
    except OSError as e:
        print(what, errno.errorcode[e.errno])
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(number, *args) < 0: raise OSError(ctypes.get_errno(), '')
for path in ('/x', '/usr/x', '/app/x', '/etc/x', '/run/x', '/run/config.json'):
    attempt(path, lambda: open(path, 'w'))
attempt('unshare', lambda: call(272, 0x10000000))
attempt('mount', lambda: call(165, b'none', b'/tmp', b'tmpfs', 0, 0))
attempt('ptrace', lambda: call(101, 0, 0, 0, 0))
attempt('keyctl', lambda: call(250, 0, 0, 0, 0, 0))
attempt('bpf', lambda: call(321, 0, 0, 0))
attempt('io_uring', lambda: call(425, 8, 0))
attempt('clone3', lambda: call(435, 0, 0))
attempt('clone-newuser', lambda: call(56, 0x10000011, 0, 0, 0, 0))
import socket
attempt('packet', lambda: socket.socket(17, 3, 0))
attempt('connect', lambda: socket.create_connection(('1.1.1.1', 80), 1))
)");
  for (const char* expected :
       {"/x EROFS", "/usr/x EROFS", "/app/x EROFS", "/etc/x EROFS", "/run/x EROFS",
        "/run/config.json EROFS", "unshare EPERM", "mount EPERM", "ptrace EPERM", "keyctl EPERM",
        "bpf EPERM", "io_uring EPERM", "clone3 ENOSYS", "clone-newuser EPERM", "packet EPERM",
        "connect ENETUNREACH"}) {
    EXPECT_NE(text.find(std::string("out ") + expected + "\n"), std::string::npos)
        << expected << " in\n"
        << text;
  }
}

// A library takes the older call after ENOSYS; after EPERM it gives up. What is refused on purpose
// is refused.
TEST_F(HostLauncherTest, ACallThatIsNewerThanTheFilterIsAsIfTheKernelDidNotHaveIt) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os, ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def answer(number, *args):
    return 'done' if libc.syscall(number, *args) >= 0 else errno.errorcode[ctypes.get_errno()]
print('unknown', answer(470), answer(1000), answer(0x3fffffff))
print('purpose', answer(458, 0, 0, 0, 0), answer(425, 8, 0), answer(321, 0, 0, 0))
open('/data/x', 'w').close()
known = answer(452, -100, b'/data/x', 0o640, 0x100)
print('chmod', known, oct(os.stat('/data/x').st_mode) if known == 'done' else '')
)");
  EXPECT_NE(text.find("out unknown ENOSYS ENOSYS ENOSYS\n"), std::string::npos) << text;
  EXPECT_NE(text.find("out purpose EPERM EPERM EPERM\n"), std::string::npos) << text;
  const bool chmod = text.find("out chmod done 0o100640\n") != std::string::npos ||
                     text.find("out chmod ENOSYS") != std::string::npos;  // before Linux 6.6
  EXPECT_TRUE(chmod) << text;
}

TEST_F(HostLauncherTest, AManifestsEnvironmentGoesBeforeWhatRuntimesAreTold) {
  make_account("acme", kDisk);
  env_ = {{"GOMAXPROCS", "7"}};
  const std::string text = run_inside("acme", R"(
import os
for name in ('FORWARDED_ALLOW_IPS', 'GOMAXPROCS', 'PYTHON_CPU_COUNT'): print(name, os.environ[name])
)");
  EXPECT_NE(text.find("out FORWARDED_ALLOW_IPS *\nout GOMAXPROCS 7\nout PYTHON_CPU_COUNT 1\n"),
            std::string::npos)
      << text;
}

// At 1 the kernel neither writes a core nor starts a handler; at 0 it starts one (contained_child).
TEST_F(HostLauncherTest, TheLimitOfCoreFilesCanBeReadAndNotChanged) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import resource, ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
print('core', *resource.getrlimit(resource.RLIMIT_CORE))
for limit in ((0, 1), (0, 0), (1, 1)):
    for number, before in ((160, ()), (302, (0,))):
        new = (ctypes.c_ulong * 2)(*limit)
        done = libc.syscall(number, *before, 4, new, None)
        print('set', done, errno.errorcode[ctypes.get_errno()])
        done = libc.syscall(number, *before, (1 << 32) | 4, new, None)
        print('high', done, errno.errorcode[ctypes.get_errno()])
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
print('files', *resource.getrlimit(resource.RLIMIT_NOFILE))
)");
  EXPECT_NE(text.find("out core 1 1\n"), std::string::npos) << text;
  std::string expected;
  for (int i = 0; i < 6; ++i) expected += "out set -1 EINVAL\nout high -1 EINVAL\n";
  EXPECT_NE(text.find(expected + "out files 100 200\n"), std::string::npos) << text;
}

TEST_F(HostLauncherTest, TwoServicesOfAnAccountShareItsDiskAtTheSameTime) {
  auto first = start("acme", http_app("open('/data/shared', 'w').write('from the first')"));
  EXPECT_EQ(ask(first.plan.service, "x"), "14");
  SiloPlan plan = plan_for("acme", make_release(http_app("open('/data/shared').read()")));
  plan.service.service = plan.spec.name = "worker";
  auto door = doors_.open(plan.service);
  ASSERT_TRUE(door.has_value());
  plan.listener = door->get();
  auto second = run(launcher_->start(plan));
  ASSERT_TRUE(second.has_value()) << describe(second.error());
  EXPECT_EQ(ask(plan.service, "x"), "from the first");
  (void)run(launcher_->clean_up(plan.service));
  doors_.close(plan.service, std::move(*door));
  EXPECT_EQ(ask(first.plan.service, "x"), "14");  // its disk is still there
  stop(first, SiloSignal::Stop);
}

TEST_F(HostLauncherTest, ADiskGrowsRightAfterItsServiceHasEnded) {
  const std::string size = "__import__('os').statvfs('/data').f_blocks";
  auto running = start("acme", http_app(size));
  const std::uint64_t before = std::stoull(ask(running.plan.service, "x"));
  const base::AccountId acme("acme");
  const DiskOptions larger{.bytes = 4 * kDisk, .uid = running.plan.uid};
  const auto in_use = disks_.make(acme, larger);
  ASSERT_FALSE(in_use.has_value());
  EXPECT_EQ(in_use.error().code, Code::Unavailable);
  EXPECT_FALSE(in_use.error().advice.empty());
  stop(running, SiloSignal::Stop);
  const auto grown = disks_.make(acme, larger);
  ASSERT_TRUE(grown.has_value()) << describe(grown.error());
  EXPECT_EQ(disks_.use(acme)->quota_bytes, 4 * kDisk);
  // A smaller one is not made of it.
  EXPECT_TRUE(disks_.make(acme, {.bytes = kDisk, .uid = running.plan.uid}).has_value());
  auto again = start("acme", http_app(size));
  EXPECT_GE(std::stoull(ask(again.plan.service, "x")), 4 * before * 9 / 10);
  stop(again, SiloSignal::Stop);
}

TEST_F(HostLauncherTest, ADiskWhoseGrowthWasCutShortGrowsWithTheNextTry) {
  make_account("acme", kDisk);
  const base::AccountId acme("acme");
  ASSERT_EQ(::truncate(paths_.disk(acme).c_str(), static_cast<off_t>(4 * kDisk)), 0);
  const auto grown = disks_.make(acme, {.bytes = 4 * kDisk, .uid = plan_for("acme", "").uid});
  ASSERT_TRUE(grown.has_value()) << describe(grown.error());
  const std::string said = run_inside(
      "acme", "import os\ns = os.statvfs('/data')\nprint('size', s.f_blocks * s.f_frsize)");
  const std::size_t at = said.find("size ");
  ASSERT_NE(at, std::string::npos) << said;
  EXPECT_GT(std::stoull(said.substr(at + 5)), 3 * kDisk);
}

TEST_F(HostLauncherTest, AFullDiskIsTheAppsOwnProblem) {
  make_account("acme", kDisk);
  const std::string text = run_inside("acme", R"(
import os, errno
try:
    with open('/data/big', 'wb', buffering=0) as f:
        for _ in range(64): f.write(b'x' * (1 << 20))
except OSError as e:
    print('full', errno.errorcode[e.errno])
os.unlink('/data/big')
open('/data/small', 'w').write('fits again')
print('ok')
)");
  EXPECT_NE(text.find("out full ENOSPC\nout ok\n"), std::string::npos) << text;
  EXPECT_LE(disks_.use(base::AccountId("acme"))->used_bytes, kDisk + (1U << 20));
}

TEST_F(HostLauncherTest, TheLimitsHoldTheSilo) {
  make_account("acme", kDisk);
  const std::string forks = run_inside("acme", R"(
import os, errno, time
n = 0
try:
    while n < 500:
        if os.fork() == 0: time.sleep(5); os._exit(0)
        n += 1
except OSError as e:
    print('forks', n, errno.errorcode[e.errno])
)");
  EXPECT_NE(forks.find("EAGAIN"), std::string::npos) << forks;
  EXPECT_NE(forks.find("sys reached its limit of 64 processes and threads"), std::string::npos)
      << forks;
  Running running = start("globex", "x = []\nwhile True: x.append(b'y' * (1 << 20))\n");
  EXPECT_TRUE(run(running.silo->ended()).has_value());
  const SiloEnd end = run(launcher_->clean_up(running.plan.service));
  EXPECT_TRUE(end.out_of_memory);
  EXPECT_EQ(end.kind, SiloEnd::Kind::Signalled);
  EXPECT_EQ(end.value, SIGKILL);
}

TEST_F(HostLauncherTest, AKilledSiloLeavesNothing) {
  Running running = start("acme", http_app("1"));
  EXPECT_EQ(ask(running.plan.service, "x"), "1");
  const int pid = running.silo->pid();
  const SiloEnd end = stop(running, SiloSignal::Kill);
  EXPECT_FALSE(end.asked);
  EXPECT_FALSE(base::os::process_status(pid).has_value());
  // The disk is free again: the next life gets it.
  const auto disk = disks_.attach(base::AccountId("acme"));
  EXPECT_TRUE(disk.has_value()) << describe(disk.error());
}

TEST_F(HostLauncherTest, AnotherLauncherAdoptsARunningSilo) {
  Running running = start("acme", http_app("os.getpid()"));
  EXPECT_EQ(ask(running.plan.service, "x"), "2");
  running.door.reset();  // as a dead agent's descriptors are closed
  running.silo.reset();
  HostLauncher successor(context_.get_executor(), parts());
  auto adopted = run(successor.adopt(running.plan.service));
  ASSERT_TRUE(adopted.has_value()) << describe(adopted.error());
  EXPECT_EQ(adopted->epoch, running.plan.epoch);
  EXPECT_EQ(adopted->fingerprint, fingerprint(running.plan));
  EXPECT_EQ(ask(running.plan.service, "x"), "2");
  EXPECT_FALSE(doors_.queued(running.plan.service, adopted->listener));
  EXPECT_TRUE(adopted->silo->signal(SiloSignal::Stop).has_value());
  EXPECT_TRUE(run(adopted->silo->ended()).has_value());
  EXPECT_TRUE(run(successor.clean_up(running.plan.service)).asked);
  EXPECT_TRUE(run(successor.leftovers()).empty());
}

TEST_F(HostLauncherTest, ARecordOfAnotherProcessIsNotAdopted) {
  Running running = start("acme", http_app("1"));
  auto text = *base::os::read_file(paths_.silo_record(running.plan.service), 4096);
  auto record = *base::json::parse_object(text, 4096);
  record["started"] = record["started"].to_number<std::int64_t>() + 1;
  ASSERT_TRUE(base::os::replace_file(paths_.silo_record(running.plan.service),
                                     base::json::print(record), 0600, base::os::Durability::Cached)
                  .has_value());
  HostLauncher successor(context_.get_executor(), parts());
  const auto adopted = run(successor.adopt(running.plan.service));
  ASSERT_FALSE(adopted.has_value());
  EXPECT_EQ(adopted.error().code, Code::NotFound);
  // It is found by its control group all the same.
  (void)run(successor.clean_up(running.plan.service));
  EXPECT_TRUE(run(running.silo->ended()).has_value());
}

TEST_F(HostLauncherTest, AMissingProgramIsTold) {
  make_account("acme", kDisk);
  SiloPlan plan = plan_for("acme", make_release("pass"));
  plan.spec.command = {"no-such-program"};
  auto door = doors_.open(plan.service);
  plan.listener = door->get();
  auto silo = run(launcher_->start(plan));
  ASSERT_TRUE(silo.has_value());
  EXPECT_TRUE(run((*silo)->ended()).has_value());
  const SiloEnd end = run(launcher_->clean_up(plan.service));
  EXPECT_EQ(end.kind, SiloEnd::Kind::NotStarted);
  EXPECT_EQ(end.value, ENOENT);
  EXPECT_NE(end.detail.find("no-such-program"), std::string::npos) << end.detail;
}

TEST_F(HostLauncherTest, AStartThatFailsLeavesNothing) {
  SiloPlan plan = plan_for("acme", std::string(64, 'a'));  // no such release
  make_account("acme", kDisk);
  auto door = doors_.open(plan.service);
  plan.listener = door->get();
  auto silo = run(launcher_->start(plan));
  if (silo) {
    EXPECT_TRUE(run((*silo)->ended()).has_value());
  }
  const SiloEnd end = run(launcher_->clean_up(plan.service));
  EXPECT_EQ(end.kind, SiloEnd::Kind::NoSandbox);
  EXPECT_NE(end.detail.find("bwrap:"), std::string::npos) << end.detail;
  EXPECT_TRUE(run(launcher_->leftovers()).empty());
  EXPECT_TRUE(disks_.attach(base::AccountId("acme")).has_value());
}

}  // namespace
}  // namespace granary::agent
