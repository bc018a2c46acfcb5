// The real clock, timer, randomness and threads. Named by the composition root (app) and by tests
// alone; everything else takes the interfaces.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/rng.h"
#include "base/timer.h"
#include "base/worker.h"

namespace granary::base::os {

class SystemClock final : public Clock {
 public:
  WallTime wall() const override;
  BootTime boot() const override;
};

// Waits on the calling coroutine's executor.
class AsioTimer final : public Timer {
 public:
  Task<Result<void>> sleep(std::chrono::nanoseconds duration) override;
};

// getrandom(2), drawn in blocks. Not thread-safe.
class SystemRng final : public Rng {
 public:
  std::uint64_t next() override;

 private:
  std::uint64_t block_[32] = {};
  std::size_t left_ = 0;
};

class ThreadPool final : public Worker {
 public:
  explicit ThreadPool(std::size_t threads) : pool_(threads) {}
  ~ThreadPool() override { pool_.join(); }
  void post(std::move_only_function<void()> work) override;

 private:
  asio::thread_pool pool_;
};

// The environment of this process.
std::optional<std::string> environment(const std::string& name);
// Whether both the standard input and the standard error output are terminals.
bool is_terminal();

}  // namespace granary::base::os
