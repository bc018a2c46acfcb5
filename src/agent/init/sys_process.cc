// The part of sys.h that is about processes and signals.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "agent/init/sys.h"

namespace granary::init::sys {

void forbid_inspection() { prctl(PR_SET_DUMPABLE, 0); }

void adopt_orphans() { prctl(PR_SET_CHILD_SUBREAPER, 1); }

int process_id() { return getpid(); }

int open_signals() {
  // What the agent had set is inherited: the mask, and which signals are ignored. An ignored
  // SIGCHLD would make the kernel reap for us and lose the exit codes.
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) std::signal(signal, SIG_DFL);
  for (const int signal :
       {SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGXFSZ, SIGXCPU, SIGTSTP, SIGTTIN, SIGTTOU}) {
    std::signal(signal, SIG_IGN);
  }
  sigset_t taken;
  sigemptyset(&taken);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&taken, signal);
  sigprocmask(SIG_SETMASK, &taken, nullptr);
  const int fd = signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

std::optional<int> take_signal(int signals) {
  signalfd_siginfo info{};
  const long count = read_some(signals, {reinterpret_cast<char*>(&info), sizeof info});
  if (count != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

int peek_ended(Ended& into) {
  siginfo_t info{};
  while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0) {
    if (errno != EINTR) return -errno;
  }
  into.pid = info.si_pid;
  into.by_signal = info.si_code != CLD_EXITED;
  into.value = info.si_status;
  return 0;
}

void collect(pid_t pid) {
  while (waitpid(pid, nullptr, WNOHANG) < 0 && errno == EINTR) {
  }
}

void send_signal(pid_t pid, int signal) { kill(pid, signal); }

void for_each_child(void (*visit)(pid_t pid)) {
  const Fd list(open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  if (!list.open()) return;  // no /proc, or a kernel without CONFIG_PROC_CHILDREN
  std::array<char, 1024> text;
  pid_t pid = 0;
  long count = 0;
  while ((count = read_some(list.get(), text)) > 0) {
    for (long i = 0; i < count; ++i) {  // numbers, each followed by a space
      const char c = text[static_cast<std::size_t>(i)];
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
      } else if (pid > 0) {
        visit(pid);
        pid = 0;
      }
    }
  }
}

}  // namespace granary::init::sys
