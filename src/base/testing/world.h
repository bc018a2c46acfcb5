// A world under test: one io_context driven by hand, a virtual clock and timer, a seeded random
// generator and a worker that runs its work in line. Nothing sleeps: settle() runs until nothing
// is left to do now, advance() moves the clock and runs what falls due. Single-threaded.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <map>
#include <optional>

#include "base/async.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/timer.h"
#include "base/worker.h"

namespace granary::base::testing {

class VirtualClock final : public Clock {
 public:
  WallTime wall() const override { return start_ + floor(now_ + jump_); }
  BootTime boot() const override { return now_; }
  void advance(std::chrono::nanoseconds by) { now_ += by; }
  // The wall clock alone is set: what an operator or NTP does.
  void jump_wall(std::chrono::nanoseconds by) { jump_ += by; }

 private:
  static std::chrono::microseconds floor(std::chrono::nanoseconds time) {
    return std::chrono::floor<std::chrono::microseconds>(time);
  }
  WallTime start_ = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);
  std::chrono::nanoseconds now_{1'000'000'000};
  std::chrono::nanoseconds jump_{0};
};

// splitmix64 (prng.di.unimi.it/splitmix64.c, public domain): enough for tests.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

// Sleepers wait in order of their due time; the World wakes them.
class VirtualTimer final : public Timer {
 public:
  explicit VirtualTimer(VirtualClock& clock) : clock_(clock) {}
  Task<Result<void>> sleep(std::chrono::nanoseconds duration) override {
    asio::steady_timer never(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    const auto place = sleepers_.emplace(clock_.boot() + duration, &never);
    const std::uint64_t key = ++count_;
    keys_[&never] = key;
    ErrorCode error;
    co_await never.async_wait(into(error));
    const bool fired = keys_.erase(&never) == 0;
    if (fired) co_return Result<void>();
    sleepers_.erase(place);
    co_return fail(Code::Cancelled, "the wait was cancelled");
  }
  std::optional<BootTime> next_due() const {
    if (sleepers_.empty()) return std::nullopt;
    return sleepers_.begin()->first;
  }
  // Wakes all that are due now.
  void fire() {
    while (!sleepers_.empty() && sleepers_.begin()->first <= clock_.boot()) {
      asio::steady_timer* sleeper = sleepers_.begin()->second;
      sleepers_.erase(sleepers_.begin());
      keys_.erase(sleeper);
      sleeper->cancel();
    }
  }

 private:
  VirtualClock& clock_;
  std::multimap<BootTime, asio::steady_timer*> sleepers_;
  std::map<asio::steady_timer*, std::uint64_t> keys_;  // sleepers that nobody woke yet
  std::uint64_t count_ = 0;
};

class InlineWorker final : public Worker {
 public:
  void post(std::move_only_function<void()> work) override { work(); }
};

class World final {
 public:
  explicit World(std::uint64_t seed = 1) : rng(seed) {}

  asio::io_context context{1};
  VirtualClock clock;
  VirtualTimer timer{clock};
  SeededRng rng;
  InlineWorker worker;

  asio::any_io_executor executor() { return context.get_executor(); }

  // Runs everything that can run without time passing.
  void settle() {
    context.restart();
    while (context.poll() > 0) context.restart();
  }
  // Time passes, sleeper by sleeper.
  void advance(std::chrono::nanoseconds by) {
    const BootTime end = clock.boot() + by;
    settle();
    for (auto due = timer.next_due(); due && *due <= end; due = timer.next_due()) {
      clock.advance(std::max(*due - clock.boot(), BootTime(0)));
      timer.fire();
      settle();
    }
    clock.advance(end - clock.boot());
    settle();
  }

  // Runs a task to its end; time passes only as far as sleepers need. Asserts that it ends.
  template <class T>
  T run(Task<T> task) {
    std::optional<T> value;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& failure, T result) {
      if (failure) std::rethrow_exception(failure);
      value = std::move(result);
    });
    settle();
    while (!value) {
      const auto due = timer.next_due();
      ASSERT(due.has_value());  // nothing can ever finish this task
      advance(std::max(*due - clock.boot(), BootTime(0)));
    }
    return std::move(*value);
  }
  void run(Task<void> task) {
    bool done = false;
    asio::co_spawn(context, std::move(task), [&](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
      done = true;
    });
    settle();
    while (!done) {
      const auto due = timer.next_due();
      ASSERT(due.has_value());
      advance(std::max(*due - clock.boot(), BootTime(0)));
    }
  }
};

}  // namespace granary::base::testing
