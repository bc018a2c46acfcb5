// A child process of this program: started as another user, watched through a pidfd, so that a
// recycled pid is never mistaken for it. For the supervisor; silos are started by the agent.
#pragma once

#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/os/fd.h"
#include "base/os/file.h"

namespace granary::base::os {

// A descriptor of this process that a child inherits under a name (base/os/inherited.h). Borrowed.
struct PassedFd {
  std::string name;  // no ':'
  int fd = -1;
};

struct ChildOptions {
  std::vector<std::string> argv;      // argv[0] is an absolute path
  std::optional<Ownership> identity;  // nothing: as this process
  // Sent to the child when this process dies, however it dies.
  int parent_death_signal = 0;
  // Whether it may gain privileges by executing set-uid programs.
  enum class Privileges { May, MayNot } privileges = Privileges::MayNot;
  // Whether it begins with SIGTERM and SIGINT blocked: one that is sent before the child can handle
  // it waits until the child unblocks them (unblock_signals), instead of ending it half-way.
  enum class Signals { Open, Held } signals = Signals::Open;
  // None: a network namespace of its own, with nothing in it (base/os/network.h). Needs root.
  enum class Network { Shared, None } network = Network::Shared;
  std::vector<PassedFd> descriptors;
};

class Child final {
 public:
  // Errors: NotFound (no such program), Refused, Exhausted.
  static Result<std::unique_ptr<Child>> start(const asio::any_io_executor& executor,
                                              const ChildOptions& options);
  Child(pid_t pid, asio::posix::stream_descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  // Asserts that it was waited for: a child left behind is a bug.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // Success also when it has ended already.
  Result<void> signal(int number);
  // Resolves when it has ended: its exit code, or 128 + the signal that killed it. Call once.
  Task<Result<int>> wait();

 private:
  pid_t pid_;
  asio::posix::stream_descriptor pidfd_;
  bool reaped_ = false;
};

// Lets SIGTERM and SIGINT through, for a child that was started with Signals::Held.
void unblock_signals();

// The path of the running program.
Result<std::string> own_program();
bool is_root();
uid_t own_uid();
gid_t own_gid();

}  // namespace granary::base::os
