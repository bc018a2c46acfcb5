// Process 1 of the own silo: it is of the same user, but holds what is the platform's (the log
// ring, the status file), so it must be as closed as a stranger.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"
#include "walls/look.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "the silo's first process";
constexpr int kLastInherited = 3;  // the listener

Answer take_descriptor(int fd) {
  const long init = ::syscall(SYS_pidfd_open, 1, 0);
  if (init < 0) return refused("pidfd_open");
  return judge("pidfd_getfd", ::syscall(SYS_pidfd_getfd, init, fd, 0));
}

Answer enter_namespace_of_init(const char* kind) {
  const std::string path = std::string("/proc/1/ns/") + kind;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused("open " + path);
  return judge("setns", ::syscall(SYS_setns, fd, 0));
}

Answer memory_of_init(bool write) {
  char bytes[8] = {};
  iovec local{bytes, sizeof bytes};
  iovec remote{bytes, sizeof bytes};
  if (write) return judge("process_vm_writev", ::process_vm_writev(1, &local, 1, &remote, 1, 0));
  return judge("process_vm_readv", ::process_vm_readv(1, &local, 1, &remote, 1, 0));
}

// Whatever lies open in the app besides its three standard streams and the listener.
Answer inherited_descriptors() {
  std::string found;
  for (const std::string& name : names_in("/proc/self/fd")) {
    const int fd = static_cast<int>(number_of(name));
    if (fd <= kLastInherited) continue;
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0) continue;  // our own are all close-on-exec
    char target[256] = {};
    (void)!::readlink(("/proc/self/fd/" + name).c_str(), target, sizeof target - 1);
    found += " " + name + " (" + target + ")";
  }
  return found.empty() ? held("none but 0 to 3") : broken("inherited" + found);
}

// The streams must be what the app may write to anyway: null, pipes, a socket.
Answer kinds_of_streams() {
  for (int fd = 0; fd <= kLastInherited; ++fd) {
    struct stat status{};
    if (::fstat(fd, &status) != 0) continue;
    const bool harmless =
        S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || S_ISCHR(status.st_mode);
    if (!harmless) return broken("descriptor " + std::to_string(fd) + " is a file of the host");
  }
  return held("null, pipes and a socket");
}

constexpr Attempt kAttempts[] = {
    {"init-descriptors", kTopic, "list what process 1 has open",
     [](const Knowledge&) { return try_list("/proc/1/fd"); }},
    {"init-log-open", kTopic, "open the log through process 1, to cut or to forge it",
     [](const Knowledge&) { return try_open("/proc/1/fd/4", O_RDWR); }},
    {"init-log-other-half", kTopic, "open the log's other half through process 1",
     [](const Knowledge&) { return try_open("/proc/1/fd/5", O_RDWR); }},
    {"init-status-open", kTopic, "open the status file through process 1, to lie to the agent",
     [](const Knowledge&) { return try_open("/proc/1/fd/6", O_RDWR); }},
    {"init-log-take", kTopic, "take the log's descriptor from process 1",
     [](const Knowledge&) { return take_descriptor(4); }},
    {"init-status-take", kTopic, "take the status file's descriptor from process 1",
     [](const Knowledge&) { return take_descriptor(6); }},
    {"init-memory", kTopic, "open the memory of process 1",
     [](const Knowledge&) { return try_open("/proc/1/mem", O_RDWR); }},
    {"init-memory-read", kTopic, "read the memory of process 1",
     [](const Knowledge&) { return memory_of_init(false); }},
    {"init-memory-write", kTopic, "write into the memory of process 1",
     [](const Knowledge&) { return memory_of_init(true); }},
    {"init-environment", kTopic, "read the environment of process 1",
     [](const Knowledge&) { return try_read("/proc/1/environ"); }},
    {"init-maps", kTopic, "read where process 1 has its memory",
     [](const Knowledge&) { return try_read("/proc/1/maps"); }},
    {"init-trace", kTopic, "trace process 1",
     [](const Knowledge&) {
       return judge("ptrace", ::syscall(SYS_ptrace, PTRACE_SEIZE, 1, nullptr, nullptr));
     }},
    {"init-enter-mounts", kTopic, "enter the mount namespace of process 1",
     [](const Knowledge&) { return enter_namespace_of_init("mnt"); }},
    {"init-enter-network", kTopic, "enter the network namespace of process 1",
     [](const Knowledge&) { return enter_namespace_of_init("net"); }},
    {"init-enter-users", kTopic, "enter the user namespace of process 1",
     [](const Knowledge&) { return enter_namespace_of_init("user"); }},
    {"inherited-descriptors", kTopic, "find descriptors that were left open for the app",
     [](const Knowledge&) { return inherited_descriptors(); }},
    {"inherited-streams", kTopic, "find a file of the host behind a standard stream",
     [](const Knowledge&) { return kinds_of_streams(); }},
};

}  // namespace

std::span<const Attempt> init_attempts() { return kAttempts; }

}  // namespace granary::walls
