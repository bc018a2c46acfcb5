// Keeps the roles running: starts them in order, restarts one that dies, after a back-off, or that
// is there and does not answer, and stops them in the opposite order. Gives up on what can never
// run: a role that never served and says that its configuration is wrong, or that cannot start over
// and over. One that has served is started again for ever: tenants are served meanwhile. Lives on
// one executor; knows nothing of what the roles do.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event.h"
#include "base/task_group.h"
#include "base/timer.h"

namespace granary::app {

// A running process, as the supervisor needs it.
class Process {
 public:
  virtual ~Process() = default;
  virtual int pid() const = 0;
  // Resolves with the exit code once it has ended. Called once.
  virtual base::Task<base::Result<int>> wait() = 0;
  virtual void terminate() = 0;  // asks it to stop
  virtual void kill() = 0;
};

// What an orderly end does about a role that is dead just then.
enum class AtEnd {
  Nothing,
  Clear,  // it is started once more, to end in order what it left
};

struct Role {
  std::string name;
  std::function<base::Result<std::unique_ptr<Process>>()> start;
  AtEnd at_end = AtEnd::Nothing;
  // Whether it serves, within kAskDeadline; empty: nobody asks.
  std::function<base::Task<base::Result<void>>()> ask = {};
};

class Supervisor final {
 public:
  // `roles` in the order of their start. References must outlive the supervisor.
  Supervisor(base::asio::any_io_executor executor, const base::Clock& clock, base::Timer& timer,
             std::vector<Role> roles);

  // Starts all. Errors: of the first that cannot be started at all; those before it are stopped.
  base::Task<base::Result<void>> start();
  // Stops all, last started first; each has kStopDeadline before it is killed. Idempotent.
  base::Task<void> stop();

  // Resolves with the exit code of the role that was given up, once one was; with kExitFailed when
  // cancelled.
  base::Task<int> given_up();

  struct Status {
    std::string name;
    int pid = 0;  // 0: waiting for its restart
    int restarts = 0;
  };
  std::vector<Status> status() const;

 private:
  struct Keeper;
  enum class Judgement { Again, GiveUp };

  base::Task<void> keep(Keeper* keeper);
  base::Task<bool> start_again(Keeper* keeper, std::chrono::milliseconds& pause);
  Judgement judge(Keeper& keeper, int code, std::chrono::nanoseconds lived) const;
  base::Task<void> watch(Keeper* keeper);
  base::Task<void> stop_one(Keeper* keeper);
  bool start_to_end(Keeper& keeper);
  base::Task<void> await_end(Keeper* keeper);

  base::asio::any_io_executor executor_;
  const base::Clock& clock_;
  base::Timer& timer_;
  // Safety: a Keeper has at most one process. Progress: while neither stopping nor given up, one
  // without a process is waiting for its restart.
  std::vector<std::shared_ptr<Keeper>> keepers_;  // owned by this and by its keep() task
  bool stopping_ = false;
  std::optional<int> verdict_;  // the exit code of the role that was given up
  base::Event gave_up_;
  base::TaskGroup tasks_;
};

}  // namespace granary::app
