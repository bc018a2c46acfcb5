// The operating system as granary-init uses it: the only place with system calls. Every call
// repeats after EINTR and returns what the kernel does: a value >= 0, or a negative errno. There
// are no exceptions here and errors are few, so nothing richer is needed. Single-threaded.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "agent/init/log_ring.h"

namespace granary::init::sys {

// A descriptor with one owner, closed with it.
class Fd final {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// --- time ---
using MonotonicTime = std::chrono::nanoseconds;  // since some fixed point
MonotonicTime monotonic_now();
WallTime wall_now();

// --- files ---
class DescriptorFile final : public LogFile {
 public:
  explicit DescriptorFile(int fd) : fd_(fd) {}  // does not own it
  long size() override;
  long read_at(std::span<char> into, std::uint64_t offset) override;
  long write_at(std::string_view bytes, std::uint64_t offset) override;
  long truncate(std::uint64_t size) override;

 private:
  int fd_;
};

long read_some(int fd, std::span<char> into);
void write_to_stderr(std::string_view text);

// --- folders ---
// None of these follows a link as the last part of a name.
int open_folder(int at, const char* name);  // `at` < 0: `name` is a path; close-on-exec
int open_to_read(int folder, const char* name);
// The next names, as getdents64(2) stores them; 0 at the end.
long next_names(int folder, std::span<char> into);
void first_names(int folder);  // begins again
int remove_file(int at, const char* name);
int remove_folder(int at, const char* name);
int move(int from, const char* name, int to, const char* new_name);  // never over another
void allow_access(int at, const char* name);                         // to its owner
// When it was last changed in any way. 0: nobody knows.
std::chrono::nanoseconds changed_at(int at, const char* name);
std::chrono::nanoseconds wall_now_exactly();

// --- descriptors ---
// Puts /dev/null where 0, 1 or 2 are closed, so that no other descriptor takes their number.
void fill_standard_descriptors();
void close_from(int first);
void set_close_on_exec(int fd);
void clear_close_on_exec(int fd);
// These two change the open file description, which other processes share.
void set_non_blocking(int fd);
void set_blocking(int fd);
// Close-on-exec; the read end does not block.
struct Pipe {
  Fd read_end;
  Fd write_end;
};
int make_pipe(Pipe& into);

// Raises the soft limit on descriptors to the hard one. `before` is what it was.
struct DescriptorLimit {
  std::uint64_t soft = 0;
  std::uint64_t hard = 0;
};
DescriptorLimit raise_descriptor_limit();
void set_descriptor_limit(DescriptorLimit limit);

// --- this process ---
// Others of the same uid can no longer trace this process nor open its descriptors in /proc.
void forbid_inspection();
void adopt_orphans();
int process_id();
// Ignores the signals that would end a program for being told something (SIGHUP, SIGUSR1...) or
// for an error that the calls report anyway (SIGPIPE, SIGXFSZ); blocks those that `take_signal`
// delivers: SIGTERM, SIGINT, SIGCHLD. Returns a descriptor that is readable when one is there.
int open_signals();
// The next signal, or nothing.
std::optional<int> take_signal(int signals);

// --- other processes ---
struct Ended {
  pid_t pid = 0;
  bool by_signal = false;
  int value = 0;  // the exit code or the signal
};
// A child that has ended, left in place so that its number stays taken until collect().
// pid 0: none has yet. -ECHILD: there are no children.
int peek_ended(Ended& into);
void collect(pid_t pid);
void send_signal(pid_t pid, int signal);        // kill(2), so a negative number is a group
void for_each_child(void (*visit)(pid_t pid));  // direct children of this process

// --- events ---
struct Event {
  std::uint32_t mask = 0;  // EPOLLIN...
  void* owner = nullptr;
};
int open_events();
int watch(int events, int fd, std::uint32_t mask, void* owner);
void unwatch(int events, int fd);
// Nothing as `limit` waits until something happens. Returns how many were stored.
int wait_events(int events, std::span<Event> into, std::optional<std::chrono::milliseconds> limit);

// --- sockets: non-blocking, close-on-exec ---
int accept_connection(int listener);
// Listens on 127.0.0.1:port, with a queue of `backlog`.
int listen_on_loopback(std::uint16_t port, int backlog);
// Begin to connect to 127.0.0.1:port, or to the unix socket at `path`. The socket, on which the
// outcome shows as an event.
int connect_to_loopback(std::uint16_t port);
int connect_to_path(const char* path);
int socket_error(int fd);
// A TCP connection to a free port of this machine can end up connected to itself.
bool connected_to_itself(int fd, std::uint16_t port);
long receive(int fd, std::span<char> into);
long send(int fd, std::string_view bytes);
void end_sending(int fd);

}  // namespace granary::init::sys
