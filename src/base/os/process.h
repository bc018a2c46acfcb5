// Processes that this program did not start or may have outlived it: held by a pidfd, so that a
// recycled pid is never mistaken for them. Nothing blocks but wait_for_end() and run_program().
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

// What tells two processes of one pid apart. `started` is in clock ticks since boot, 0: unknown.
struct ProcessIdentity {
  pid_t pid = 0;
  std::uint64_t started = 0;
  bool operator==(const ProcessIdentity&) const = default;
};

struct ProcessStatus {
  ProcessIdentity identity;
  pid_t parent = 0;
  char state = '?';  // Z: ended, but not reaped
};
// Of this run of the kernel: pids and boot times of another one mean nothing. Empty: not known.
std::string boot_id();
// From /proc/PID/stat. Errors: NotFound.
Result<ProcessStatus> process_status(pid_t pid);

// Errors: NotFound when it has ended and was reaped.
Result<Fd> open_process(pid_t pid);
// The same, checked to be that very process. Errors: NotFound also for another of its pid.
Result<Fd> open_process(const ProcessIdentity& identity);
// Success also when it has ended already.
Result<void> signal_process(int pidfd, int number);
bool has_ended(int pidfd);
// A duplicate of descriptor `number` of that process. Errors: Refused, NotFound.
Result<Fd> take_descriptor(int pidfd, int number);
// For the rare thing of the kernel that cannot be waited for. On a worker alone.
void pause_thread(std::chrono::milliseconds duration);
// Blocks for at most `limit`. Errors: Deadline.
Result<void> wait_for_end(int pidfd, std::chrono::milliseconds limit);
// Of a child of this process that has ended: its exit code, or 128 + its signal; nothing is left
// of it. Errors: Unavailable while it runs, NotFound when it is no child.
Result<int> reap(pid_t pid);

// Gives memory that was freed back to the system, where the allocator keeps more than `most` bytes
// of it after a burst. Some 100 us when there is nothing to do.
void give_back_memory(std::size_t most);
// From now on few threads have memory pools of their own. Before any thread starts.
void share_memory_pools();

// Lets this process open as many files as it may (RLIMIT_NOFILE).
void raise_descriptor_limit();

struct ProgramEnd {
  int exit_code = 0;
  std::string output;  // both streams, cut at 64 KiB
};
// Runs a program to its end, without a shell; killed after `limit`. Errors: NotFound, Deadline.
Result<ProgramEnd> run_program(const std::vector<std::string>& argv,
                               std::chrono::milliseconds limit);

}  // namespace granary::base::os
