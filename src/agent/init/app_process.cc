#include "agent/init/app_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>

#include "agent/init/environment.h"
#include "agent/init/limits.h"

namespace granary::init {
namespace {

constexpr char kPidName[] = "LISTEN_PID=";

// All that the child needs, prepared by the parent: the child shares its memory until exec.
struct ChildPlan {
  const AppProcess::Start& start;
  char** environment;
  char* pid_digits;  // behind LISTEN_PID=; null in port mode
  char* pid_digits_end;
  StartFailure::Step step = StartFailure::Step::Prepare;  // written by the child
  int error = 0;                                          // written by the child
};

void reset_signals() {
  // Also what init itself was started with, such as an ignored SIGINT, ends here.
  for (int signal = 1; signal < NSIG; ++signal) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void arrange_descriptors(const AppProcess::Start& start) {
  dup2(start.out, STDOUT_FILENO);
  dup2(start.err, STDERR_FILENO);
  const bool inherits_listener = start.options.listen == Listen::Descriptor;
  if (inherits_listener) sys::clear_close_on_exec(kListenerFd);
  const int first_closed = inherits_listener ? kListenerFd + 1 : kListenerFd;
  close_range(static_cast<unsigned>(first_closed), UINT_MAX, CLOSE_RANGE_CLOEXEC);
  sys::set_descriptor_limit(start.descriptor_limit);
}

// Runs in the child of vfork: the parent is suspended and its memory is ours, so nothing may be
// allocated, and what is written here the parent reads.
void run_child(ChildPlan& plan) {
  // Should init be killed where it is not PID 1, its app must not outlive it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  arrange_descriptors(plan.start);
  if (plan.pid_digits != nullptr) {
    *std::to_chars(plan.pid_digits, plan.pid_digits_end, getpid()).ptr = '\0';
  }
  plan.step = StartFailure::Step::EnterDirectory;
  if (chdir(plan.start.options.workdir) < 0) {
    plan.error = errno;
    return;
  }
  plan.step = StartFailure::Step::Execute;
  reset_signals();
  if (plan.start.watches != nullptr && !plan.start.watches->guard_this_process()) {
    plan.step = StartFailure::Step::Prepare;
    plan.error = EPERM;
    return;
  }
  char** command = plan.start.options.command;
  execvpe(command[0], command, plan.environment);
  plan.error = errno;
}

// Not inlined, so that no variable of the caller lives across vfork's two returns.
[[gnu::noinline]] pid_t spawn(ChildPlan& plan) {
  const pid_t pid = vfork();
  if (pid == 0) {
    run_child(plan);
    _exit(127);
  }
  if (pid < 0) plan.error = errno;
  return pid;
}

}  // namespace

std::optional<StartFailure> AppProcess::start(const Start& start) {
  char fds[] = "LISTEN_FDS=1";
  char pid_text[sizeof kPidName + 16] = "LISTEN_PID=";
  char port_text[16] = "PORT=";
  Environment environment(start.inherited_environment);
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) environment.remove(name);
  ChildPlan plan{start, environment.data(), nullptr, nullptr};
  switch (start.options.listen) {
    case Listen::Descriptor:
      environment.set(fds);
      environment.set(pid_text);
      plan.pid_digits = pid_text + sizeof kPidName - 1;
      plan.pid_digits_end = pid_text + sizeof pid_text - 1;
      break;
    case Listen::Port:
      *std::to_chars(port_text + 5, port_text + sizeof port_text - 1, start.options.port).ptr = 0;
      environment.set(port_text);
      break;
  }
  if (environment.data() == nullptr) return StartFailure{StartFailure::Step::Prepare, ENOMEM};

  const pid_t pid = spawn(plan);
  children_left_ = pid > 0;
  if (plan.error != 0) return StartFailure{plan.step, plan.error};
  main_ = pid;
  return std::nullopt;
}

void AppProcess::signal_group(int signal) {
  if (main_ != 0) sys::send_signal(-main_, signal);
}

void AppProcess::reap() {
  for (;;) {
    sys::Ended ended;
    if (sys::peek_ended(ended) < 0) {
      children_left_ = false;
      return;
    }
    if (ended.pid == 0) return;
    if (ended.pid == main_) {
      signal_group(SIGKILL);  // while the number, and with it the group, is still ours
      main_ = 0;
      end_ = AppEnd{ended.by_signal ? AppEnd::Kind::Signalled : AppEnd::Kind::Exited, ended.value};
    }
    sys::collect(ended.pid);
  }
}

void AppProcess::kill_rest() {
  switch (reach_) {
    case Reach::Namespace:
      sys::send_signal(-1, SIGKILL);
      return;
    case Reach::Descendants:
      signal_group(SIGKILL);
      // A child's number stays its own until we collect it, so this can hit nobody else.
      // Grandchildren's could be reused while we look; they become children soon enough.
      sys::for_each_child([](pid_t pid) { sys::send_signal(pid, SIGKILL); });
      return;
  }
}

const char* advice_for(const StartFailure& failure) {
  switch (failure.step) {
    case StartFailure::Step::Prepare:
      return "The silo has no memory or processes left: raise limits.memory or limits.processes.";
    case StartFailure::Step::EnterDirectory:
      return "The release's files are not there: deploy the release again.";
    case StartFailure::Step::Execute:
      break;
  }
  switch (failure.error) {
    case ENOENT:
    case ENOTDIR:
      return "Check the command in granary.yaml: the release must hold the file or PATH lead to "
             "it, and a script's first line must name an interpreter that exists.";
    case EACCES:
    case EPERM:
      return "Check that the file is executable (chmod +x) and create the release again.";
    case ENOEXEC:
    case EINVAL:
      return "The file is not a program for this machine: build it for this architecture.";
    case E2BIG:
      return "The arguments and env of granary.yaml together are too long.";
    case ENOMEM:
    case EAGAIN:
      return "The silo has no memory or processes left: raise limits.memory or limits.processes.";
    default:
      return "Check the command in granary.yaml.";
  }
}

}  // namespace granary::init
