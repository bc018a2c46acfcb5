// Processes outside of the silo: seeing, signalling, tracing, slowing them. The signal is 0 or one
// that does nothing: what is permitted is decided before which one it is.
#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "processes of others";
constexpr int kHighestGuess = 65'536;

// Of the own user, as far as /proc shows: threads have a folder too, without being listed.
bool is_own(int pid) {
  struct stat status{};
  return ::stat(("/proc/" + std::to_string(pid)).c_str(), &status) == 0 &&
         status.st_uid == ::geteuid();
}

// A process of another user is of another silo or of the host: all here are of one user.
Answer see_others() {
  const std::vector<int> pids = visible_pids();
  for (const int pid : pids) {
    if (!is_own(pid)) return broken("saw process " + std::to_string(pid) + " of another user");
  }
  return held("saw " + std::to_string(pids.size()) + " processes, all its own");
}

// The process that the attacker was told of, under the number that it has on the host.
Answer see_victim(const Knowledge& known) {
  if (!known.has("victim_pid")) return inapplicable("victim_pid is not known");
  return try_list("/proc/" + std::to_string(known.foreign_pid()));
}

Answer signal_guessed() {
  for (int pid = 1; pid < kHighestGuess; ++pid) {
    if (::kill(pid, 0) != 0 && errno == ESRCH) continue;
    if (!is_own(pid)) return broken("there is a process " + std::to_string(pid));
  }
  return held("kill: ESRCH, of 65536 numbers");
}

Answer signal_queue(const Knowledge& known) {
  siginfo_t info{};
  info.si_code = SI_QUEUE;
  return judge("rt_sigqueueinfo", ::syscall(SYS_rt_sigqueueinfo, known.foreign_pid(), 0, &info));
}

Answer signal_by_pidfd(const Knowledge& known) {
  const long pidfd = ::syscall(SYS_pidfd_open, known.foreign_pid(), 0);
  if (pidfd < 0) return refused("pidfd_open");
  return broken("pidfd_open: done");
}

Answer read_memory(int pid) {
  char bytes[8];
  iovec local{bytes, sizeof bytes};
  iovec remote{bytes, sizeof bytes};
  return judge_privileged("process_vm_readv", ::process_vm_readv(pid, &local, 1, &remote, 1, 0));
}

Answer set_cores(const Knowledge& known) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(0, &cores);
  return judge("sched_setaffinity", ::sched_setaffinity(known.foreign_pid(), sizeof cores, &cores));
}

Answer set_policy(const Knowledge& known) {
  sched_param none{};
  return judge("sched_setscheduler", ::sched_setscheduler(known.foreign_pid(), SCHED_IDLE, &none));
}

Answer limit_victim(const Knowledge& known) {
  rlimit limit{};
  return judge("prlimit64", ::prlimit(known.foreign_pid(), RLIMIT_NOFILE, nullptr, &limit));
}

Answer robust_list(const Knowledge& known) {
  void* head = nullptr;
  std::size_t size = 0;
  return judge("get_robust_list",
               ::syscall(SYS_get_robust_list, known.foreign_pid(), &head, &size));
}

// A signal sent by the kernel in our name, when something happens on a descriptor.
Answer own_by_descriptor(const Knowledge& known) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return refused("pipe2");
  return judge("fcntl F_SETOWN", ::fcntl(ends[0], F_SETOWN, known.foreign_pid()));
}

constexpr int kIoprioProcess = 1;
constexpr int kIoprioIdle = 3 << 13;

constexpr Attempt kAttempts[] = {
    {"process-see", kTopic, "see processes of other users in /proc",
     [](const Knowledge&) { return see_others(); }},
    {"process-see-victim", kTopic, "look at a process of another silo in /proc",
     [](const Knowledge& known) { return see_victim(known); }},
    {"process-guess", kTopic, "find processes by signalling all numbers",
     [](const Knowledge&) { return signal_guessed(); }},
    {"process-signal-victim", kTopic, "signal a process of another silo",
     [](const Knowledge& known) { return judge("kill", ::kill(known.foreign_pid(), 0)); }},
    {"process-signal-agent", kTopic, "signal the agent",
     [](const Knowledge& known) { return judge("kill", ::kill(known.agent_pid(), 0)); }},
    {"process-signal-thread", kTopic, "signal a thread of another silo",
     [](const Knowledge& known) {
       return judge("tgkill", ::syscall(SYS_tgkill, known.foreign_pid(), known.foreign_pid(), 0));
     }},
    {"process-signal-queue", kTopic, "queue a signal for a process of another silo",
     [](const Knowledge& known) { return signal_queue(known); }},
    {"process-signal-group", kTopic, "signal a process group of another silo",
     [](const Knowledge& known) { return judge("kill", ::kill(-known.foreign_pid(), 0)); }},
    {"process-pidfd", kTopic, "open a descriptor of a process of another silo",
     [](const Knowledge& known) { return signal_by_pidfd(known); }},
    {"process-setown", kTopic, "have the kernel signal a process of another silo",
     [](const Knowledge& known) { return own_by_descriptor(known); }},
    {"process-trace", kTopic, "trace a process of another silo",
     [](const Knowledge& known) {
       return judge("ptrace",
                    ::syscall(SYS_ptrace, PTRACE_SEIZE, known.foreign_pid(), nullptr, nullptr));
     }},
    {"process-trace-self", kTopic, "trace at all",
     [](const Knowledge&) {
       return judge("ptrace", ::syscall(SYS_ptrace, PTRACE_TRACEME, 0, nullptr, nullptr));
     }},
    {"process-memory-self", kTopic, "read memory by process number at all",
     [](const Knowledge&) { return read_memory(::getpid()); }},
    {"process-memory-victim", kTopic, "read the memory of a process of another silo",
     [](const Knowledge& known) {
       return try_open("/proc/" + std::to_string(known.foreign_pid()) + "/mem", O_RDWR);
     }},
    {"process-compare", kTopic, "compare what two processes have open",
     [](const Knowledge&) {
       return judge_privileged("kcmp",
                               ::syscall(SYS_kcmp, ::getpid(), ::getpid(), KCMP_FILE, 0, 0));
     }},
    {"process-advise", kTopic, "have the memory of another process given up",
     [](const Knowledge&) {
       return judge_privileged("process_madvise",
                               ::syscall(SYS_process_madvise, -1, nullptr, 0, 0, 0));
     }},
    {"process-move-memory", kTopic, "move the memory of another process",
     [](const Knowledge&) {
       return judge_privileged("migrate_pages",
                               ::syscall(SYS_migrate_pages, ::getpid(), 0, nullptr, nullptr));
     }},
    {"process-renice", kTopic, "slow a process of another silo",
     [](const Knowledge& known) {
       return judge("setpriority",
                    ::setpriority(PRIO_PROCESS, static_cast<id_t>(known.foreign_pid()), 0));
     }},
    {"process-renice-user", kTopic, "slow all processes of another silo's user",
     [](const Knowledge& known) {
       return judge("setpriority", ::setpriority(PRIO_USER, known.foreign_uid(), 0));
     }},
    {"process-ioprio", kTopic, "slow the disk of a process of another silo",
     [](const Knowledge& known) {
       return judge("ioprio_set",
                    ::syscall(SYS_ioprio_set, kIoprioProcess, known.foreign_pid(), kIoprioIdle));
     }},
    {"process-affinity", kTopic, "bind a process of another silo to one core",
     [](const Knowledge& known) { return set_cores(known); }},
    {"process-policy", kTopic, "let a process of another silo run only when all is idle",
     [](const Knowledge& known) { return set_policy(known); }},
    {"process-limits", kTopic, "read the limits of a process of another silo",
     [](const Knowledge& known) { return limit_victim(known); }},
    {"process-robust-list", kTopic, "learn an address in a process of another silo",
     [](const Knowledge& known) { return robust_list(known); }},
    {"process-session", kTopic, "learn the session of a process of another silo",
     [](const Knowledge& known) { return judge("getsid", ::getsid(known.foreign_pid())); }},
};

}  // namespace

std::span<const Attempt> process_attempts() { return kAttempts; }

}  // namespace granary::walls
