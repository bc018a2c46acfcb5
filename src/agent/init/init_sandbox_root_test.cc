// granary-init as PID 1 in namespaces of its own, under another uid than root's, as in a silo.
// Needs root to become that uid, bubblewrap, and user namespaces: skips without them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "agent/init/testing/init_runner.h"

namespace granary::init {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kSandbox = {"setpriv",
                                           "--reuid=65534",
                                           "--regid=65534",
                                           "--clear-groups",
                                           "bwrap",
                                           "--unshare-user",
                                           "--unshare-pid",
                                           "--unshare-net",
                                           "--as-pid-1",
                                           "--die-with-parent",
                                           "--ro-bind",
                                           "/",
                                           "/",
                                           "--proc",
                                           "/proc",
                                           "--dev",
                                           "/dev",
                                           "--cap-drop",
                                           "ALL"};

bool sandbox_works() {
  const pid_t pid = fork();
  if (pid == 0) {
    std::vector<char*> arguments;
    for (const std::string& word : kSandbox) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(const_cast<char*>("true"));
    arguments.push_back(nullptr);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class InitSandboxTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to become the uid of an account";
    if (!sandbox_works()) GTEST_SKIP() << "needs setpriv, bwrap and user namespaces";
  }

  void run(std::vector<std::string> command, const std::string& listen = "fd") {
    InitRunner::Settings settings;
    settings.listen = listen;
    settings.wrapper = kSandbox;
    settings.copy_program = InitRunner::CopyProgram::Yes;  // the build may be closed to that uid
    settings.command = std::move(command);
    init_ = std::make_unique<InitRunner>(std::move(settings));
  }
  void run_python(const std::string& script) { run({"python3", "-S", "-c", script}); }

  // granary-init as this namespace sees it: the only child of bwrap.
  pid_t pid_of_init() const {
    pid_t child = 0;
    const std::string pid = std::to_string(init_->pid());
    const bool found = wait_until([&] {
      std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> child;
      return child > 0;
    });
    EXPECT_TRUE(found);
    return child;
  }

  std::unique_ptr<InitRunner> init_;
};

TEST_F(InitSandboxTest, IsTheFirstProcessAndTellsTheAppItsPidInside) {
  run({"sh", "-c", "cat /proc/1/comm; echo $(($LISTEN_PID == $$)) $PPID; id -u"});
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("granary-init", "1 1", "65534"));
}

TEST_F(InitSandboxTest, KeepsItsDescriptorsAndMemoryFromTheApp) {
  run_python(R"(
import ctypes, os, re
libc = ctypes.CDLL(None, use_errno=True)
def attempt(name, action):
    try: print(name, 'succeeded', action())
    except OSError as error: print(name, error.strerror)
def checked(result):
    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
assert re.search(r'^Uid:\s+65534\s', open('/proc/1/status').read(), re.M)  # the same uid
attempt('list', lambda: os.listdir('/proc/1/fd'))
attempt('log', lambda: os.open('/proc/1/fd/4', os.O_RDWR))
attempt('status', lambda: os.open('/proc/1/fd/6', os.O_RDWR))
attempt('memory', lambda: os.open('/proc/1/mem', os.O_RDWR))
attempt('environ', lambda: open('/proc/1/environ').read())
attempt('ptrace', lambda: checked(libc.ptrace(16, 1, 0, 0)))
attempt('getfd', lambda: checked(libc.syscall(438, os.pidfd_open(1), 4, 0)))
)");
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(
      init_->logged("out"),
      ElementsAre("list Permission denied", "log Permission denied", "status Permission denied",
                  "memory Permission denied", "environ Permission denied",
                  "ptrace Operation not permitted", "getfd Operation not permitted"));
}

TEST_F(InitSandboxTest, CannotBeKilledByTheApp) {
  run({"sh", "-c", "kill -KILL 1; kill -STOP 1; kill -SEGV 1; kill -USR1 1; echo unharmed"});
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("unharmed"));
}

TEST_F(InitSandboxTest, StopsOnSigtermFromOutside) {
  run({"sh", "-c", "trap 'exit 5' TERM; echo up; while :; do sleep 0.01; done"});
  ASSERT_TRUE(init_->wait_for_log("up"));
  ::kill(pid_of_init(), SIGTERM);
  EXPECT_EQ(init_->wait_for_exit(), 5);
  EXPECT_THAT(init_->status(), ElementsAre("started", "stopping", "exited 5"));
}

TEST_F(InitSandboxTest, EndsWithTheMainProcessWhateverElseRuns) {
  run({"sh", "-c",
       "for i in 1 2 3 4 5; do (setsid sh -c 'trap \"\" TERM; echo up; sleep 1000' &); done\n"
       "read line; while [ $(ls -d /proc/[0-9]* | wc -l) -lt 12 ]; do :; done; exit 4"});
  EXPECT_EQ(init_->wait_for_exit(std::chrono::seconds(10)), 4);
  EXPECT_THAT(init_->status(), ElementsAre("started", "exited 4"));
}

TEST_F(InitSandboxTest, ForwardsToAPortInItsOwnNetwork) {
  run({"python3", "-S", "-c", R"(
import os, socket
listener = socket.socket()
listener.bind(('127.0.0.1', int(os.environ['PORT'])))
listener.listen()
client, _ = listener.accept()
client.sendall(client.recv(100)[::-1])
)"},
      "8080");
  EXPECT_EQ(init_->ask("hello"), "olleh");
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->status(), ElementsAre("started", "ready", "exited 0"));
}

}  // namespace
}  // namespace granary::init
