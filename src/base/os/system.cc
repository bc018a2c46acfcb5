#include "base/os/system.h"

#include <sys/random.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <cstdlib>
#include <ctime>

#include "base/check.h"

namespace granary::base::os {

WallTime SystemClock::wall() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

BootTime SystemClock::boot() const {
  timespec now{};
  ASSERT(::clock_gettime(CLOCK_BOOTTIME, &now) == 0);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Task<Result<void>> AsioTimer::sleep(std::chrono::nanoseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(duration);
  ErrorCode error;
  co_await timer.async_wait(into(error));
  if (error) co_return fail(Code::Cancelled, "the wait was cancelled");
  co_return Result<void>();
}

std::uint64_t SystemRng::next() {
  if (left_ == 0) {
    ASSERT(::getrandom(block_, sizeof block_, 0) == static_cast<ssize_t>(sizeof block_));
    left_ = std::size(block_);
  }
  return block_[--left_];
}

void ThreadPool::post(std::move_only_function<void()> work) { asio::post(pool_, std::move(work)); }

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

bool is_terminal() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }

}  // namespace granary::base::os
