#include "base/os/child.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>

#include "base/check.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

// Runs in the child, between fork and exec: async-signal-safe calls alone. Writes errno to
// `report` and ends when something fails.
[[noreturn]] void become(const ChildOptions& options, char* const* argv, pid_t parent, int report) {
  // Of its own, so that a Ctrl-C at the terminal reaches the supervisor alone, which stops in
  // order.
  bool good = ::setpgid(0, 0) == 0;
  if (good && options.identity) {
    good = ::setgroups(0, nullptr) == 0 &&
           ::setresgid(options.identity->gid, options.identity->gid, options.identity->gid) == 0 &&
           ::setresuid(options.identity->uid, options.identity->uid, options.identity->uid) == 0;
  }
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
  if (good) ::execv(argv[0], argv);
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
  ASSERT(!options.argv.empty());
  std::vector<std::string> arguments = options.argv;
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  TRY(checked("pipe2", argv[0], [&] { return ::pipe2(ends, O_CLOEXEC); }));
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t parent = ::getpid();
  TRY_ASSIGN(const pid_t pid, checked("fork", argv[0], [] { return ::fork(); }));
  if (pid == 0) become(options, argv.data(), parent, writing.get());
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
