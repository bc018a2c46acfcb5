#include "app/supervisor.h"

#include <utility>

#include "app/limits.h"
#include "app/role.h"
#include "base/log.h"

namespace granary::app {

using base::Result;
using base::Task;

struct Supervisor::Keeper {
  Keeper(Role what, const base::asio::any_io_executor& executor)
      : role(std::move(what)), ended(executor) {}
  Role role;
  std::unique_ptr<Process> process;  // null while it waits for its restart, and after the end
  int restarts = 0;
  bool was_started = false;
  bool served = false;    // perhaps: it ended otherwise than by failing to start, or lived long
  int failed_starts = 0;  // in a row
  base::Event ended;
};

Supervisor::Supervisor(base::asio::any_io_executor executor, const base::Clock& clock,
                       base::Timer& timer, std::vector<Role> roles)
    : executor_(executor),
      clock_(clock),
      timer_(timer),
      gave_up_(executor),
      tasks_(std::move(executor)) {
  for (Role& role : roles) keepers_.push_back(std::make_shared<Keeper>(std::move(role), executor_));
}

Task<Result<void>> Supervisor::start() {
  for (const auto& keeper : keepers_) {
    auto started = keeper->role.start();
    if (!started) {
      base::Error error = started.error();
      co_await stop();
      co_return base::annotate(std::move(error), "starting " + keeper->role.name);
    }
    keeper->process = std::move(*started);
    keeper->was_started = true;
    base::log::info("{} is process {}", keeper->role.name, keeper->process->pid());
    tasks_.spawn("keep " + keeper->role.name, keep(keeper.get()));
    if (keeper->role.ask) tasks_.spawn("watch " + keeper->role.name, watch(keeper.get()));
  }
  co_return Result<void>();
}

namespace {

// What a role ends with that never served; whatever killed one is no fault of its start.
bool is_failed_start(int code) {
  return code == kExitFailed || code == kExitWrongUsage || code == kExitRefused;
}

}  // namespace

Supervisor::Judgement Supervisor::judge(Keeper& keeper, int code,
                                        std::chrono::nanoseconds lived) const {
  if (lived > kForgivenAfter || !is_failed_start(code)) {
    keeper.served = true;
    keeper.failed_starts = 0;
    return Judgement::Again;
  }
  ++keeper.failed_starts;
  if (keeper.served) return Judgement::Again;
  const bool hopeless = code == kExitWrongUsage || keeper.failed_starts >= kStartTries;
  return hopeless ? Judgement::GiveUp : Judgement::Again;
}

Task<void> Supervisor::keep(Keeper* keeper) {
  std::chrono::milliseconds pause = kFirstRestart;
  while (keeper->process) {
    const base::BootTime since = clock_.boot();
    const Result<int> code = co_await keeper->process->wait();
    keeper->process.reset();
    keeper->ended.notify_all();
    if (stopping_) co_return;
    const base::BootTime lived = clock_.boot() - since;
    if (judge(*keeper, code.value_or(-1), lived) == Judgement::GiveUp) {
      base::log::error("{} cannot start: it ended with {}, {} times in a row", keeper->role.name,
                       code.value_or(-1), keeper->failed_starts);
      keeper->was_started = false;  // it left nothing
      verdict_ = code.value_or(kExitFailed);
      gave_up_.notify_all();
      co_return;
    }
    if (lived > kForgivenAfter) pause = kFirstRestart;
    base::log::warn("{} ended with {}; it starts again in {}", keeper->role.name, code.value_or(-1),
                    base::format_duration(pause));
    if (!co_await start_again(keeper, pause)) co_return;
  }
}

// False when it is not to run any more.
Task<bool> Supervisor::start_again(Keeper* keeper, std::chrono::milliseconds& pause) {
  while (!keeper->process) {
    if (!co_await timer_.sleep(pause) || stopping_) co_return false;
    pause = std::min(pause * 2, kLongestRestart);
    auto started = keeper->role.start();
    if (!started) {
      base::log::error("{} cannot start: {}", keeper->role.name, base::describe(started.error()));
      continue;
    }
    keeper->process = std::move(*started);
    ++keeper->restarts;
    base::log::info("{} is process {} now", keeper->role.name, keeper->process->pid());
  }
  co_return true;
}

// One that is there and does not serve: stopped, in an endless loop, or waiting for what never
// comes. What it left is taken over by the next one, as after any other death of it.
Task<void> Supervisor::watch(Keeper* keeper) {
  int pid = 0;
  int misses = 0;
  bool has_answered = false;
  while (co_await timer_.sleep(has_answered ? kAskEvery : kAskFirst)) {
    if (stopping_ || !keeper->process) continue;
    if (std::exchange(pid, keeper->process->pid()) != pid) {
      misses = 0;
      has_answered = false;
    }
    const Result<void> answer = co_await keeper->role.ask();
    if (stopping_ || !keeper->process || keeper->process->pid() != pid) continue;
    misses = answer ? 0 : misses + 1;
    if (answer) has_answered = true;
    if (misses < (has_answered ? kAskMisses : kAskMissesAtFirst)) continue;
    base::log::error("{} does not answer ({}); it is killed and started anew", keeper->role.name,
                     base::describe(answer.error()));
    keeper->process->kill();
  }
}

Task<int> Supervisor::given_up() {
  while (!verdict_) {
    if (!co_await gave_up_.wait()) co_return kExitFailed;
  }
  co_return *verdict_;
}

// It is told to stop at once; see base/os/child.h for why that is not too early.
bool Supervisor::start_to_end(Keeper& keeper) {
  if (!keeper.was_started) return false;
  auto started = keeper.role.start();
  if (!started) {
    base::log::error("{} cannot start to end what it left: {}", keeper.role.name,
                     base::describe(started.error()));
    return false;
  }
  keeper.process = std::move(*started);
  tasks_.spawn("end " + keeper.role.name, await_end(&keeper));
  return true;
}

Task<void> Supervisor::await_end(Keeper* keeper) {
  (void)co_await keeper->process->wait();
  keeper->process.reset();
  keeper->ended.notify_all();
}

Task<void> Supervisor::stop_one(Keeper* keeper) {
  if (!keeper->process && keeper->role.at_end == AtEnd::Clear && !start_to_end(*keeper)) co_return;
  if (!keeper->process) co_return;
  keeper->process->terminate();
  // Looked at every tenth of a second: an end wakes this at once, the deadline is coarse.
  constexpr std::chrono::milliseconds kLook{100};
  for (auto left = std::chrono::milliseconds(kStopDeadline); keeper->process; left -= kLook) {
    if (left <= left.zero()) {
      base::log::warn("{} does not stop; it is killed", keeper->role.name);
      keeper->process->kill();
      while (keeper->process) {
        if (!co_await keeper->ended.wait()) co_return;
      }
      co_return;
    }
    if (!co_await timer_.sleep(kLook)) co_return;
  }
}

Task<void> Supervisor::stop() {
  stopping_ = true;
  for (auto keeper = keepers_.rbegin(); keeper != keepers_.rend(); ++keeper) {
    co_await stop_one(keeper->get());
    (*keeper)->was_started = false;  // it left nothing
  }
  co_await tasks_.close();
}

std::vector<Supervisor::Status> Supervisor::status() const {
  std::vector<Status> all;
  for (const auto& keeper : keepers_) {
    const int pid = keeper->process ? keeper->process->pid() : 0;
    all.push_back({keeper->role.name, pid, keeper->restarts});
  }
  return all;
}

}  // namespace granary::app
