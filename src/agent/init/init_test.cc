// granary-init as a program: how it starts, stops and outlives an app in fd mode, and what it
// writes about it. Port mode is in init_port_test.cc, PID 1 in init_sandbox_root_test.cc.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "agent/init/testing/init_runner.h"

namespace granary::init {
namespace {

using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using Lines = std::vector<std::string>;

// Answers each connection with its pid, LISTEN_FDS, LISTEN_PID and what it was asked.
constexpr char kServer[] = R"(
import os, socket
listener = socket.socket(fileno=3)
print('listening', flush=True)
while True:
    client, _ = listener.accept()
    asked = client.makefile().read()
    facts = [str(os.getpid()), os.environ['LISTEN_FDS'], os.environ['LISTEN_PID'], asked]
    client.sendall(' '.join(facts).encode())
    client.close()
)";

class InitTest : public testing::Test {
 protected:
  void run(InitRunner::Settings settings) {
    init_ = std::make_unique<InitRunner>(std::move(settings));
  }
  void run_command(std::vector<std::string> command) {
    InitRunner::Settings settings;
    settings.command = std::move(command);
    run(std::move(settings));
  }
  void run_shell(const std::string& script) { run_command({"sh", "-c", script}); }
  void run_python(const std::string& script) { run_command({"python3", "-S", "-c", script}); }

  std::unique_ptr<InitRunner> init_;
};

bool is_alive(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST_F(InitTest, HandsTheListenerToTheApp) {
  run_python(kServer);
  const std::string answer = init_->ask("hello");  // may come before the app listens: it is queued
  std::istringstream words(answer);
  std::string pid, fds, listen_pid, asked;
  words >> pid >> fds >> listen_pid >> asked;
  EXPECT_EQ(asked, "hello");
  EXPECT_EQ(fds, "1");
  EXPECT_EQ(listen_pid, pid);
  EXPECT_THAT(init_->status(), ElementsAre("started"));
}

TEST_F(InitTest, ReplacesAListenEnvironmentMeantForAnother) {
  InitRunner::Settings settings;
  settings.environment = {"LISTEN_PID=1", "LISTEN_FDS=9", "LISTEN_FDNAMES=x", "KEPT=yes"};
  settings.command = {"sh", "-c",
                      "env | grep -c LISTEN_; echo $LISTEN_FDS $KEPT $(($LISTEN_PID == $$))"};
  run(settings);
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("2", "1 yes 1"));
}

TEST_F(InitTest, GivesTheAppABlockingListenerWhateverAnEarlierAppDidToIt) {
  run_python(
      "import os, fcntl, sys\n"
      "print(fcntl.fcntl(3, fcntl.F_GETFL) & os.O_NONBLOCK)\n");
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("0"));
}

TEST_F(InitTest, LogsBothStreamsAndExitsWithTheAppsCode) {
  run_shell("echo one; echo two >&2; printf three; exit 7");
  EXPECT_EQ(init_->wait_for_exit(), 7);
  EXPECT_THAT(init_->logged("out"), ElementsAre("one", "three"));
  EXPECT_THAT(init_->logged("err"), ElementsAre("two"));
  EXPECT_THAT(init_->logged("sys"), ElementsAre("ended with exit code 7"));
  EXPECT_THAT(init_->status(), ElementsAre("started", "exited 7"));
}

TEST_F(InitTest, ReportsTheSignalThatEndedTheApp) {
  run_shell("kill -SEGV $$");
  EXPECT_EQ(init_->wait_for_exit(), 128 + SIGSEGV);
  EXPECT_THAT(init_->status(), ElementsAre("started", "signalled 11"));
  EXPECT_THAT(init_->logged("sys"), ElementsAre("ended by signal 11 (Segmentation fault)"));
}

TEST_F(InitTest, ForwardsSigtermToTheWholeGroup) {
  run_shell(
      "trap 'echo parent; wait; exit 5' TERM\n"
      "sh -c 'trap \"echo child; exit 0\" TERM; echo up; while :; do sleep 0.01; done' &\n"
      "while :; do sleep 0.01; done");
  ASSERT_TRUE(init_->wait_for_log("up"));
  init_->signal(SIGTERM);
  EXPECT_EQ(init_->wait_for_exit(), 5);
  EXPECT_THAT(init_->logged("out"), testing::IsSupersetOf({"child", "parent"}));
  EXPECT_THAT(init_->status(), ElementsAre("started", "stopping", "exited 5"));
}

TEST_F(InitTest, TakesSigintForSigtermAndMindsNoOtherSignal) {
  run_shell("trap 'exit 6' TERM; echo up; while :; do sleep 0.01; done");
  ASSERT_TRUE(init_->wait_for_log("up"));
  for (const int other : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM}) init_->signal(other);
  init_->signal(SIGINT);
  EXPECT_EQ(init_->wait_for_exit(), 6);
}

TEST_F(InitTest, KillsWhatDoesNotStopInTime) {
  InitRunner::Settings settings;
  settings.stop_timeout_ms = 50;
  settings.command = {"sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"};
  run(settings);
  ASSERT_TRUE(init_->wait_for_log("up"));
  init_->signal(SIGTERM);
  EXPECT_EQ(init_->wait_for_exit(), 128 + SIGKILL);
  EXPECT_THAT(init_->status(), ElementsAre("started", "stopping", "killed", "signalled 9"));
  EXPECT_THAT(init_->logged("sys"), Contains(HasSubstr("raise stop_timeout")));
}

TEST_F(InitTest, KillsEveryDescendantEvenThoseThatLeftTheGroup) {
  // A grandchild in a session of its own whose parent is gone, and one whose parent is not.
  run_shell(
      "(setsid sh -c 'echo $$; exec sleep 1000' &) \n"
      "setsid sh -c 'echo $$; setsid sh -c \"echo \\$\\$; exec sleep 1000\"; :' &\n"
      "while :; do sleep 0.01; done");
  ASSERT_TRUE(wait_until([&] { return init_->logged("out").size() == 3; }));
  std::vector<pid_t> pids;
  for (const std::string& line : init_->logged("out")) pids.push_back(std::stoi(line));
  for (const pid_t pid : pids) EXPECT_TRUE(is_alive(pid));
  init_->signal(SIGTERM);
  EXPECT_EQ(init_->wait_for_exit(), 128 + SIGTERM);
  for (const pid_t pid : pids) EXPECT_FALSE(is_alive(pid)) << pid;
}

TEST_F(InitTest, ReapsOrphansWhileTheAppRuns) {
  run_shell(
      "for i in 1 2 3 4 5; do (sh -c 'echo $$' &); done\n"
      "trap 'exit 0' TERM; while :; do sleep 0.01; done");
  ASSERT_TRUE(wait_until([&] { return init_->logged("out").size() == 5; }));
  for (const std::string& line : init_->logged("out")) {
    const pid_t pid = std::stoi(line);
    EXPECT_TRUE(wait_until([&] { return !is_alive(pid); })) << pid << " is left as a zombie";
  }
}

TEST_F(InitTest, EndsWithTheMainProcessEvenIfOthersHoldItsOutput) {
  run_shell("setsid sleep 1000 & echo gone; exit 3");
  EXPECT_EQ(init_->wait_for_exit(seconds(10)), 3);
  EXPECT_THAT(init_->logged("out"), ElementsAre("gone"));
}

TEST_F(InitTest, SaysWhatCouldNotBeStartedAndWhatToDo) {
  run_command({"no-such-program", "secret-argument"});
  EXPECT_EQ(init_->wait_for_exit(), 127);
  EXPECT_THAT(init_->status(), ElementsAre("exec-failed 2"));
  const Lines said = init_->logged("sys");
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("cannot start no-such-program: No such file or directory. Check"));
  EXPECT_THAT(said[0], testing::Not(HasSubstr("secret")));
}

TEST_F(InitTest, TellsAMissingFolderFromAMissingProgram) {
  InitRunner::Settings settings;
  settings.workdir = "/no/such/folder";
  settings.command = {"true"};
  run(settings);
  EXPECT_EQ(init_->wait_for_exit(), 127);
  EXPECT_THAT(init_->status(), ElementsAre("exec-failed 2"));
  EXPECT_THAT(init_->logged("sys"), ElementsAre(HasSubstr("cannot enter /no/such/folder")));
}

TEST_F(InitTest, ReportsAFileThatIsNotExecutable) {
  run_command({"/etc/passwd"});
  EXPECT_EQ(init_->wait_for_exit(), 127);
  EXPECT_THAT(init_->status(), ElementsAre("exec-failed 13"));
}

TEST_F(InitTest, GivesTheAppOnlyItsFourDescriptors) {
  run_python(
      "import os\n"
      "for fd in sorted(map(int, os.listdir('/proc/self/fd'))):\n"
      "  try: print(fd, os.readlink('/proc/self/fd/%d' % fd).split(':')[0])\n"
      "  except FileNotFoundError: pass\n");  // the one that reads the folder
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("0 /dev/null", "1 pipe", "2 pipe", "3 socket"));
}

TEST_F(InitTest, GivesTheAppASessionOfItsOwn) {
  run_python(
      "import os\n"
      "print(os.getsid(0) == os.getpid() == os.getpgrp())\n");
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("True"));
}

TEST_F(InitTest, GivesTheAppDefaultSignals) {
  run_command({"grep", "-E", "SigBlk|SigIgn", "/proc/self/status"});
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"),
              ElementsAre("SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"));
}

TEST_F(InitTest, LeavesTheAppsDescriptorLimitAsItWas) {
  InitRunner::Settings settings;
  settings.wrapper = {"prlimit", "--nofile=100:2000"};
  settings.command = {"sh", "-c", "ulimit -Sn; ulimit -Hn"};
  run(settings);
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_THAT(init_->logged("out"), ElementsAre("100", "2000"));
}

TEST_F(InitTest, KeepsALineWithoutEndInBoundedMemoryAndLog) {
  InitRunner::Settings settings;
  settings.log_bytes = 256 * 1024;
  settings.command = {"sh", "-c",
                      "head -c 200000000 /dev/zero | tr '\\0' x; echo; echo end; "
                      "grep VmHWM /proc/$PPID/status; exec sleep 1000"};
  run(settings);
  ASSERT_TRUE(init_->wait_for_log("VmHWM"));
  EXPECT_LE(init_->log_size(), settings.log_bytes);
  const Lines out = init_->logged("out");
  ASSERT_GE(out.size(), 2u);
  EXPECT_EQ(out[out.size() - 2], "end");
  long kilobytes = 0;
  ASSERT_EQ(std::sscanf(out.back().c_str(), "VmHWM: %ld", &kilobytes), 1) << out.back();
  EXPECT_LT(kilobytes, 4096);
  EXPECT_FALSE(init_->logged("out+").empty());
}

TEST_F(InitTest, KeepsTheLatestLinesOfAFlood) {
  InitRunner::Settings settings;
  settings.log_bytes = 128 * 1024;
  settings.command = {"seq", "1000000"};
  run(settings);
  EXPECT_EQ(init_->wait_for_exit(), 0);
  EXPECT_LE(init_->log_size(), settings.log_bytes);
  EXPECT_GT(init_->log_size(), settings.log_bytes / 2);
  const Lines out = init_->logged("out");
  ASSERT_GT(out.size(), 1000u);
  for (std::size_t i = 1; i < out.size(); ++i) {
    ASSERT_EQ(std::stoi(out[i]), std::stoi(out[i - 1]) + 1);
  }
  EXPECT_EQ(out.back(), "1000000");
}

TEST_F(InitTest, RefusesAWrongCommandLine) {
  InitRunner::Settings settings;
  settings.listen = "nonsense";
  settings.command = {"true"};
  run(settings);
  EXPECT_EQ(init_->wait_for_exit(), 2);
  EXPECT_THAT(init_->status(), testing::IsEmpty());
}

}  // namespace
}  // namespace granary::init
