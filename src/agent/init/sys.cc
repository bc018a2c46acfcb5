#include "agent/init/sys.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "agent/init/limits.h"

namespace granary::init::sys {
namespace {

// Repeats a call that a signal interrupted; -errno for any other failure.
template <class Call>
auto checked(Call call) -> decltype(call()) {
  for (;;) {
    const auto result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return static_cast<decltype(call())>(-errno);
  }
}

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void change_flags(int fd, int set, int clear) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) fcntl(fd, F_SETFL, (flags | set) & ~clear);
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);  // EINTR: Linux has closed it all the same
  fd_ = fd;
}

MonotonicTime monotonic_now() { return read_clock(CLOCK_MONOTONIC); }

WallTime wall_now() {
  return WallTime(std::chrono::floor<std::chrono::milliseconds>(read_clock(CLOCK_REALTIME)));
}

long DescriptorFile::size() {
  struct stat status{};
  if (fstat(fd_, &status) < 0) return -errno;
  return status.st_size;
}

long DescriptorFile::read_at(std::span<char> into, std::uint64_t offset) {
  return checked([&] { return pread(fd_, into.data(), into.size(), static_cast<off_t>(offset)); });
}

long DescriptorFile::write_at(std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const long count = checked(
        [&] { return pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return count;
    if (count == 0) return -EIO;
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return 0;
}

long DescriptorFile::truncate(std::uint64_t size) {
  return checked([&] { return ftruncate(fd_, static_cast<off_t>(size)); });
}

long read_some(int fd, std::span<char> into) {
  return checked([&] { return ::read(fd, into.data(), into.size()); });
}

void write_to_stderr(std::string_view text) {
  checked([&] { return ::write(STDERR_FILENO, text.data(), text.size()); });
}

void fill_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    ::open("/dev/null", O_RDWR);  // takes the lowest free number, which is `fd`
  }
}

void close_from(int first) { close_range(static_cast<unsigned>(first), UINT_MAX, 0); }

void set_close_on_exec(int fd) { fcntl(fd, F_SETFD, FD_CLOEXEC); }
void clear_close_on_exec(int fd) { fcntl(fd, F_SETFD, 0); }
void set_non_blocking(int fd) { change_flags(fd, O_NONBLOCK, 0); }
void set_blocking(int fd) { change_flags(fd, 0, O_NONBLOCK); }

int make_pipe(Pipe& into) {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  into.read_end.reset(ends[0]);
  into.write_end.reset(ends[1]);
  set_non_blocking(ends[0]);
  return 0;
}

DescriptorLimit raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return {};
  const DescriptorLimit before{limit.rlim_cur, limit.rlim_max};
  set_descriptor_limit({before.hard, before.hard});
  return before;
}

void set_descriptor_limit(DescriptorLimit limit) {
  const rlimit wanted{limit.soft, limit.hard};
  setrlimit(RLIMIT_NOFILE, &wanted);
}

int open_events() {
  return checked([] { return epoll_create1(EPOLL_CLOEXEC); });
}

int watch(int events, int fd, std::uint32_t mask, void* owner) {
  epoll_event event{};
  event.events = mask;
  event.data.ptr = owner;
  return checked([&] { return epoll_ctl(events, EPOLL_CTL_ADD, fd, &event); });
}

void unwatch(int events, int fd) { epoll_ctl(events, EPOLL_CTL_DEL, fd, nullptr); }

int wait_events(int events, std::span<Event> into, std::optional<std::chrono::milliseconds> limit) {
  std::array<epoll_event, kEventsPerStep> found;
  const int most = static_cast<int>(into.size() < found.size() ? into.size() : found.size());
  const int timeout = limit ? static_cast<int>(limit->count()) : -1;
  const int count = epoll_wait(events, found.data(), most, timeout);
  for (int i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    into[at] = Event{found[at].events, found[at].data.ptr};
  }
  return count < 0 ? 0 : count;  // EINTR: the caller waits again
}

int accept_connection(int listener) {
  return checked([&] { return accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
}

int listen_on_loopback(std::uint16_t port, int backlog) {
  Fd fd(checked([] { return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }));
  if (!fd.open()) return fd.get();
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  const int bound = checked(
      [&] { return bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address); });
  if (bound < 0) return bound;
  const int listening = checked([&] { return listen(fd.get(), backlog); });
  return listening < 0 ? listening : fd.release();
}

int connect_to_path(const char* path) {
  Fd fd(checked([] { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }));
  if (!fd.open()) return fd.get();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string_view text(path);
  if (text.size() >= sizeof address.sun_path) return -ENAMETOOLONG;
  text.copy(address.sun_path, text.size());
  const int result = checked([&] {
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  return result < 0 ? result : fd.release();
}

int connect_to_loopback(std::uint16_t port) {
  Fd fd(checked([] { return socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }));
  if (!fd.open()) return fd.get();
  const int on = 1;  // the peer decided how much to send at once
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  const int result = checked([&] {
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  });
  if (result < 0 && result != -EINPROGRESS) return result;
  return fd.release();
}

int socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
  return error;
}

bool connected_to_itself(int fd, std::uint16_t port) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) < 0) return false;
  return ntohs(address.sin_port) == port;
}

long receive(int fd, std::span<char> into) {
  return checked([&] { return recv(fd, into.data(), into.size(), MSG_DONTWAIT); });
}

long send(int fd, std::string_view bytes) {
  return checked(
      [&] { return ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); });
}

void end_sending(int fd) { shutdown(fd, SHUT_WR); }

}  // namespace granary::init::sys
