// The app's main process and everything that descends from it: started, signalled, reaped, and
// in the end killed to the last. Owned by the supervisor; single-threaded.
#pragma once

#include <sys/types.h>

#include <optional>

#include "agent/init/options.h"
#include "agent/init/sys.h"
#include "agent/init/watch_gate.h"

namespace granary::init {

// How the main process ended.
struct AppEnd {
  enum class Kind { Exited, Signalled };
  Kind kind = Kind::Exited;
  int value = 0;  // the exit code or the signal

  // As a shell gives it: 128 and the signal.
  int exit_code() const { return kind == Kind::Exited ? value : 128 + value; }
};

// Why there is no main process.
struct StartFailure {
  enum class Step { Prepare, EnterDirectory, Execute };
  Step step = Step::Prepare;
  int error = 0;
};

// What one sentence can tell a person who reads the log about that error.
const char* advice_for(const StartFailure& failure);

class AppProcess final {
 public:
  enum class Reach {
    Namespace,    // init is PID 1: everything there is but init itself is the app's
    Descendants,  // elsewhere: only what descends from init may ever be signalled
  };
  explicit AppProcess(Reach reach) : reach_(reach) {}
  AppProcess(const AppProcess&) = delete;
  AppProcess& operator=(const AppProcess&) = delete;

  struct Start {
    const Options& options;
    char** inherited_environment;
    int out;  // its standard output and error
    int err;
    sys::DescriptorLimit descriptor_limit;  // as it was before init raised its own
    const WatchGate* watches = nullptr;     // null: it may watch what it likes
  };
  // Returns once the program is executing, or could not be.
  std::optional<StartFailure> start(const Start& start);

  // To the main process's group; nothing once it has ended.
  void signal_group(int signal);
  // Collects all that have ended. The rest of the main process's group dies with it.
  void reap();
  // SIGKILL for all that is left. In Descendants reach each call kills one generation, whose
  // children then become ours: call again after every reap() until children_left() is false.
  void kill_rest();

  const std::optional<AppEnd>& end() const { return end_; }
  bool children_left() const { return children_left_; }

 private:
  const Reach reach_;
  pid_t main_ = 0;  // 0: not started, or reaped: its number may be anybody's
  bool children_left_ = false;
  std::optional<AppEnd> end_;
};

}  // namespace granary::init
