#include "base/os/child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <climits>
#include <string_view>

#include "base/check.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

constexpr int kFirstPassed = 3;  // as base/os/inherited.h reads them
constexpr std::string_view kListenPid = "LISTEN_PID=";
constexpr std::size_t kPidDigits = 20;

// What execve(2) takes, made before the fork: between fork and exec nothing may be allocated.
class Program final {
 public:
  explicit Program(const ChildOptions& options) : arguments_(options.argv) {
    for (char** variable = environ; *variable != nullptr; ++variable)
      if (!std::string_view(*variable).starts_with("LISTEN_")) environment_.emplace_back(*variable);
    if (!options.descriptors.empty()) describe(options.descriptors);
    for (std::string& argument : arguments_) argv_.push_back(argument.data());
    for (std::string& variable : environment_) envp_.push_back(variable.data());
    argv_.push_back(nullptr);
    envp_.push_back(nullptr);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // In the child, which is told that the descriptors are its own. Returns when it fails.
  void execute() {
    if (pid_ != nullptr) *std::to_chars(pid_, pid_ + kPidDigits, ::getpid()).ptr = '\0';
    ::execve(argv_[0], argv_.data(), envp_.data());
  }
  const char* name() const { return argv_[0]; }

 private:
  void describe(const std::vector<PassedFd>& descriptors) {
    std::string names;
    for (const PassedFd& passed : descriptors) {
      INVARIANT(!passed.name.contains(':'));
      names += (names.empty() ? "" : ":") + passed.name;
    }
    environment_.push_back(fmt::format("LISTEN_FDS={}", descriptors.size()));
    environment_.push_back("LISTEN_FDNAMES=" + names);
    environment_.push_back(std::string(kListenPid) + std::string(kPidDigits, '\0'));
    pid_ = environment_.back().data() + kListenPid.size();
  }

  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::vector<char*> argv_;
  std::vector<char*> envp_;
  char* pid_ = nullptr;  // into environment_, which does not change any more
};

// In the child: to the numbers from kFirstPassed on. All are moved out of the way first, `report`
// too, since any of them may have the number that another is to get. `high` has room for them.
bool pass(const std::vector<PassedFd>& descriptors, std::vector<int>& high, int& report) {
  const int above = kFirstPassed + static_cast<int>(descriptors.size());
  const int moved = ::fcntl(report, F_DUPFD_CLOEXEC, above);
  bool good = moved >= 0;
  if (good) report = moved;
  for (std::size_t i = 0; good && i < high.size(); ++i) {
    high[i] = ::fcntl(descriptors[i].fd, F_DUPFD_CLOEXEC, above);
    good = high[i] >= 0;
  }
  for (std::size_t i = 0; good && i < high.size(); ++i)
    good = ::dup2(high[i], kFirstPassed + static_cast<int>(i)) >= 0;
  // What whoever started us left open is nobody's. Best effort: Linux 5.11 or later.
  (void)::syscall(SYS_close_range, above, ~0U, CLOSE_RANGE_CLOEXEC);
  return good;
}

bool change_user(const Ownership& identity) {
  return ::setgroups(0, nullptr) == 0 &&
         ::setresgid(identity.gid, identity.gid, identity.gid) == 0 &&
         ::setresuid(identity.uid, identity.uid, identity.uid) == 0;
}

// Runs in the child, between fork and exec: async-signal-safe calls alone. Writes errno to
// `report` and ends when something fails.
[[noreturn]] void become(const ChildOptions& options, Program& program, std::vector<int>& high,
                         pid_t parent, int report) {
  // Of its own, so that a Ctrl-C at the terminal reaches the supervisor alone, which stops in
  // order.
  bool good = ::setpgid(0, 0) == 0;
  if (good && options.network == ChildOptions::Network::None) good = ::unshare(CLONE_NEWNET) == 0;
  if (good && options.identity) good = change_user(*options.identity);
  if (good && options.privileges == ChildOptions::Privileges::MayNot)
    good = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  // After the change of user, which clears it. A parent that died before this is seen by getppid.
  if (good && options.parent_death_signal != 0) {
    good = ::prctl(PR_SET_PDEATHSIG, options.parent_death_signal) == 0;
    if (::getppid() != parent) ::_exit(1);
  }
  sigset_t blocked;
  ::sigemptyset(&blocked);
  if (options.signals == ChildOptions::Signals::Held) {
    ::sigaddset(&blocked, SIGTERM);
    ::sigaddset(&blocked, SIGINT);
  }
  ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
  if (good) good = pass(options.descriptors, high, report);
  if (good) program.execute();
  const int failure = errno;
  (void)!::write(report, &failure, sizeof failure);
  ::_exit(127);
}

// What the child wrote to the report pipe: 0 when exec closed it.
int read_failure(int report) {
  int failure = 0;
  ssize_t got = 0;
  do {
    got = ::read(report, &failure, sizeof failure);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof failure) ? failure : 0;
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const asio::any_io_executor& executor,
                                            const ChildOptions& options) {
  INVARIANT(!options.argv.empty());
  Program program(options);
  std::vector<int> high(options.descriptors.size());
  int ends[2];
  TRY(checked("pipe2", program.name(), [&] { return ::pipe2(ends, O_CLOEXEC); }));
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t parent = ::getpid();
  TRY_ASSIGN(const pid_t pid, checked("fork", program.name(), [] { return ::fork(); }));
  if (pid == 0) become(options, program, high, parent, writing.get());
  writing.reset();
  if (const int failure = read_failure(reading.get()); failure != 0) {
    ::waitpid(pid, nullptr, 0);
    return std::unexpected(from_errno(failure, "start", options.argv.front()));
  }
  TRY_ASSIGN(const long pidfd, checked("pidfd_open", options.argv.front(),
                                       [&] { return ::syscall(SYS_pidfd_open, pid, 0); }));
  return std::make_unique<Child>(pid,
                                 asio::posix::stream_descriptor(executor, static_cast<int>(pidfd)));
}

Child::~Child() { ASSERT(reaped_); }

Result<void> Child::signal(int number) {
  if (reaped_) return {};
  const auto sent = checked("pidfd_send_signal", std::to_string(pid_), [&] {
    return ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), number, nullptr, 0);
  });
  if (!sent && sent.error().code != Code::NotFound) return std::unexpected(sent.error());
  return {};
}

Task<Result<int>> Child::wait() {
  ErrorCode error;
  co_await pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, into(error));
  if (error) co_return std::unexpected(from_asio(error, "waiting for a process"));
  int status = 0;
  CO_TRY(checked("waitpid", std::to_string(pid_), [&] { return ::waitpid(pid_, &status, 0); }));
  reaped_ = true;
  co_return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void unblock_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGTERM);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

Result<std::string> own_program() {
  char path[PATH_MAX];
  TRY_ASSIGN(const ssize_t length, checked("readlink", "/proc/self/exe", [&] {
               return ::readlink("/proc/self/exe", path, sizeof path);
             }));
  return std::string(path, static_cast<std::size_t>(length));
}

bool is_root() { return ::geteuid() == 0; }
uid_t own_uid() { return ::geteuid(); }
gid_t own_gid() { return ::getegid(); }

}  // namespace granary::base::os
