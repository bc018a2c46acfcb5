// Making and entering namespaces. A user namespace comes with each, since it is what gives an
// ordinary user the right to the others, and with them most of the kernel's weak code.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "namespaces";

template <int Flag>
Answer unshared(const Knowledge&) {
  return judge_privileged("unshare", ::syscall(SYS_unshare, CLONE_NEWUSER | Flag));
}

template <int Flag>
Answer cloned(const Knowledge&) {
  const long pid = ::syscall(SYS_clone, CLONE_NEWUSER | Flag | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) ::_exit(0);
  if (pid < 0) return judge_privileged("clone", pid);
  (void)::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return broken("clone: done");
}

// Its flags lie in memory, where a filter cannot look: so it must not be there at all.
Answer cloned_by_clone3() {
  clone_args arguments{};
  arguments.flags = CLONE_NEWUSER;
  arguments.exit_signal = SIGCHLD;
  const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) ::_exit(0);
  if (pid < 0) return refused("clone3");
  (void)::waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return broken("clone3: done");
}

Answer enter(const char* kind) {
  const std::string path = std::string("/proc/self/ns/") + kind;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused("open " + path);
  return judge_privileged("setns", ::syscall(SYS_setns, fd, 0));
}

Answer enter_by_pidfd() {
  const long self = ::syscall(SYS_pidfd_open, ::getpid(), 0);
  if (self < 0) return refused("pidfd_open");
  return judge_privileged("setns", ::syscall(SYS_setns, self, CLONE_NEWUTS));
}

Answer look_above(unsigned long request, const char* kind) {
  const std::string path = std::string("/proc/self/ns/") + kind;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused("open " + path);
  return judge("ioctl on " + path, ::ioctl(fd, request));
}

// One that is nested in ours would do as well, if its maps could be written.
Answer map_own_users(const char* file) {
  return try_write(std::string("/proc/self/") + file).outcome == Outcome::Held
             ? refused(std::string("open ") + file)
             : judge(std::string("write ") + file, [file] {
                 const int fd =
                     ::open((std::string("/proc/self/") + file).c_str(), O_WRONLY | O_CLOEXEC);
                 const ssize_t count = ::write(fd, "0 0 4294967295\n", 15);
                 const int error = errno;
                 ::close(fd);
                 errno = error;
                 return count;
               }());
}

constexpr Attempt kAttempts[] = {
    {"unshare-user", kTopic, "make a user namespace", unshared<CLONE_NEWUSER>},
    {"unshare-mount", kTopic, "make a mount namespace", unshared<CLONE_NEWNS>},
    {"unshare-network", kTopic, "make a network namespace", unshared<CLONE_NEWNET>},
    {"unshare-process", kTopic, "make a process namespace", unshared<CLONE_NEWPID>},
    {"unshare-ipc", kTopic, "make an IPC namespace", unshared<CLONE_NEWIPC>},
    {"unshare-hostname", kTopic, "make a host name namespace", unshared<CLONE_NEWUTS>},
    {"unshare-cgroup", kTopic, "make a cgroup namespace", unshared<CLONE_NEWCGROUP>},
    {"unshare-time", kTopic, "make a time namespace", unshared<CLONE_NEWTIME>},
    {"clone-user", kTopic, "start a process in a new user namespace", cloned<CLONE_NEWUSER>},
    {"clone-mount", kTopic, "start a process in a new mount namespace", cloned<CLONE_NEWNS>},
    {"clone-network", kTopic, "start a process in a new network namespace", cloned<CLONE_NEWNET>},
    {"clone-process", kTopic, "start a process in a new process namespace", cloned<CLONE_NEWPID>},
    {"clone-ipc", kTopic, "start a process in a new IPC namespace", cloned<CLONE_NEWIPC>},
    {"clone-hostname", kTopic, "start a process in a new host name namespace",
     cloned<CLONE_NEWUTS>},
    {"clone-cgroup", kTopic, "start a process in a new cgroup namespace", cloned<CLONE_NEWCGROUP>},
    {"clone3-user", kTopic, "the same where a filter cannot look",
     [](const Knowledge&) { return cloned_by_clone3(); }},
    {"setns-hostname", kTopic, "enter a namespace by its file",
     [](const Knowledge&) { return enter("uts"); }},
    {"setns-network", kTopic, "enter a network namespace by its file",
     [](const Knowledge&) { return enter("net"); }},
    {"setns-pidfd", kTopic, "enter namespaces by a process",
     [](const Knowledge&) { return enter_by_pidfd(); }},
    {"namespace-parent", kTopic, "open the user namespace above the own one",
     [](const Knowledge&) { return look_above(NS_GET_PARENT, "user"); }},
    {"namespace-parent-process", kTopic, "open the process namespace above the own one",
     [](const Knowledge&) { return look_above(NS_GET_PARENT, "pid"); }},
    {"map-users", kTopic, "map the host's users into the own namespace",
     [](const Knowledge&) { return map_own_users("uid_map"); }},
    {"map-groups", kTopic, "map the host's groups into the own namespace",
     [](const Knowledge&) { return map_own_users("gid_map"); }},
};

}  // namespace

std::span<const Attempt> namespace_attempts() { return kAttempts; }

}  // namespace granary::walls
