#include "agent/init/sys_watches.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <string_view>

#include "agent/init/sys.h"
#include "agent/init/text.h"

namespace granary::init::sys {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "which architecture is it to the kernel?"
#endif

constexpr std::uint32_t kReading = IN_ACCESS | IN_OPEN | IN_CLOSE_NOWRITE;
constexpr std::size_t kMaskAt = offsetof(seccomp_data, args) + 2 * sizeof(std::uint64_t);
constexpr std::size_t kPage = 4'096;

using Path = Text<PATH_MAX + 64>;

int outcome(long result) { return result < 0 ? -errno : static_cast<int>(result); }

// A text as the kernel takes it.
class CPath final {
 public:
  explicit CPath(std::string_view text) {
    const std::size_t size = text.size() < sizeof bytes_ ? text.size() : sizeof bytes_ - 1;
    std::memcpy(bytes_, text.data(), size);
    bytes_[size] = '\0';
  }
  const char* get() const { return bytes_; }

 private:
  char bytes_[PATH_MAX + 64];
};

template <class... Parts>
int open_as(int flags, Parts... parts) {
  Path path;
  (path << ... << parts);
  return outcome(::open(CPath(path.view()).get(), flags | O_CLOEXEC));
}

// The process that a thread belongs to; 0: it has gone.
pid_t process_of(pid_t thread) {
  const Fd file(open_as(O_RDONLY, "/proc/", thread, "/status"));
  std::array<char, 2'048> bytes;
  const long size = file.open() ? read_some(file.get(), bytes) : -1;
  if (size <= 0) return 0;
  const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
  constexpr std::string_view kName = "\nTgid:\t";
  const std::size_t at = text.find(kName);
  if (at == std::string_view::npos) return 0;
  pid_t process = 0;
  std::from_chars(text.data() + at + kName.size(), text.data() + text.size(), process);
  return process;
}

// Up to and without its end. -ENAMETOOLONG, -EFAULT, or why the memory cannot be read.
long read_path(pid_t thread, std::uint64_t address, std::span<char> into) {
  const Fd memory(open_as(O_RDONLY, "/proc/", thread, "/mem"));
  if (!memory.open()) return -EPERM;
  std::size_t size = 0;
  while (size < into.size()) {
    // Not beyond a page at once: the next may not be there.
    const std::size_t room = std::min(into.size() - size, kPage - (address + size) % kPage);
    const ssize_t got =
        ::pread(memory.get(), into.data() + size, room, static_cast<off_t>(address + size));
    if (got <= 0) return -EFAULT;
    const void* end = std::memchr(into.data() + size, '\0', static_cast<std::size_t>(got));
    if (end != nullptr) return static_cast<const char*>(end) - into.data();
    size += static_cast<std::size_t>(got);
  }
  return -ENAMETOOLONG;
}

int resolve(int at, const char* path, std::uint32_t mask, std::uint64_t how_resolved) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  if ((mask & IN_DONT_FOLLOW) != 0) how.flags |= O_NOFOLLOW;
  if ((mask & IN_ONLYDIR) != 0) how.flags |= O_DIRECTORY;
  how.resolve = how_resolved;
  return outcome(::syscall(SYS_openat2, at, path, &how, sizeof how));
}

// What the asker means by the path. Links of /proc lead to whoever follows them, which is not the
// asker here: so to its own files only where it says so in the path itself.
int open_for(pid_t thread, std::string_view path, std::uint32_t mask) {
  for (const std::string_view own : {"/proc/self/", "/proc/thread-self/", "/dev/fd/"}) {
    if (!path.starts_with(own)) continue;
    Path renamed;
    renamed << "/proc/" << thread << (own == "/dev/fd/" ? "/fd/" : "/") << path.substr(own.size());
    return resolve(AT_FDCWD, CPath(renamed.view()).get(), mask, 0);
  }
  if (path.starts_with('/'))
    return resolve(AT_FDCWD, CPath(path).get(), mask, RESOLVE_NO_MAGICLINKS);
  const Fd folder(open_as(O_PATH | O_DIRECTORY, "/proc/", thread, "/cwd"));
  if (!folder.open()) return -EPERM;
  return resolve(folder.get(), CPath(path).get(), mask, RESOLVE_NO_MAGICLINKS);
}

}  // namespace

int guard_watches(WatchGuard guard) {
  const std::uint32_t verdict =
      guard == WatchGuard::Ask ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | EPERM;
  sock_filter rules[] = {
      // The filter around this one has ended what is not of this architecture.
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 0, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_getfd, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_inotify_add_watch, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kMaskAt),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kReading, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, verdict),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  const unsigned long flags = guard == WatchGuard::Ask ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  return outcome(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

int make_socket_pair(int (&ends)[2]) {
  const int made = ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
  if (made == 0) set_non_blocking(ends[0]);
  return outcome(made);
}

int send_descriptor(int socket, int fd) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int receive_descriptor(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  int fd = -1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0) return -errno;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -ENOENT;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

int take_question(int questions, WatchQuestion& into) {
  seccomp_notif notification{};
  if (::ioctl(questions, SECCOMP_IOCTL_NOTIF_RECV, &notification) != 0) return -errno;
  into.id = notification.id;
  into.thread = static_cast<pid_t>(notification.pid);
  into.instance = static_cast<int>(notification.data.args[0]);
  into.path = notification.data.args[1];
  into.mask = static_cast<std::uint32_t>(notification.data.args[2]);
  return 0;
}

int add_watch_for(int questions, const WatchQuestion& question) {
  const std::uint32_t kept = question.mask & ~kReading;
  if ((kept & IN_ALL_EVENTS) == 0) return -EPERM;
  std::array<char, PATH_MAX> text;
  const long size = read_path(question.thread, question.path, text);
  if (size < 0) return static_cast<int>(size);
  if (size == 0) return -ENOENT;
  const pid_t process = process_of(question.thread);
  if (process == 0) return -EPERM;
  const Fd asker(outcome(::syscall(SYS_pidfd_open, process, 0)));
  if (!asker.open()) return -EPERM;
  // Still the one that asks: its number has not passed on to another.
  std::uint64_t id = question.id;
  if (::ioctl(questions, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) != 0) return -EPERM;
  const Fd instance(outcome(::syscall(SYS_pidfd_getfd, asker.get(), question.instance, 0)));
  if (!instance.open()) return instance.get();
  const Fd what(open_for(question.thread, {text.data(), static_cast<std::size_t>(size)}, kept));
  if (!what.open()) return what.get();
  Path self;
  self << "/proc/self/fd/" << what.get();
  const std::uint32_t mask = kept & ~static_cast<std::uint32_t>(IN_DONT_FOLLOW | IN_ONLYDIR);
  return outcome(::inotify_add_watch(instance.get(), CPath(self.view()).get(), mask));
}

void answer_question(int questions, const WatchQuestion& question, int result) {
  seccomp_notif_resp answer{};
  answer.id = question.id;
  if (result < 0) {
    answer.error = result;
  } else {
    answer.val = result;
  }
  (void)::ioctl(questions, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

}  // namespace granary::init::sys
