// Names for Asio's types as the hot path uses them: sockets, coroutines and waits bound to the
// io_context itself, not to base's type-erased executor, which costs a tenth of a microsecond at
// every step. One gateway lives on one io_context that one thread runs. Cold work uses base::Task.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string_view>

#include "base/async.h"
#include "base/check.h"

namespace granary::gateway {

namespace asio = boost::asio;
using base::ErrorCode;

using Executor = asio::io_context::executor_type;
template <class T>
using Coro = asio::awaitable<T, Executor>;
using Use = asio::use_awaitable_t<Executor>;

using Tcp = asio::ip::tcp;
using Local = asio::local::stream_protocol;
using TcpSocket = asio::basic_stream_socket<Tcp, Executor>;
using LocalSocket = asio::basic_stream_socket<Local, Executor>;

// Completion token: the error lands in `error`, which outlives the wait.
inline auto into(ErrorCode& error) { return asio::redirect_error(Use(), error); }

// Waits for a task of base's kind from a coroutine of this one.
template <class T>
Coro<T> await(base::Task<T> task) {
  const Executor executor = co_await asio::this_coro::executor;
  co_return co_await asio::co_spawn(asio::any_io_executor(executor), std::move(task), Use());
}

// One coroutine waits, others wake it. A notification before the wait is kept.
class Signal final {
 public:
  explicit Signal(const Executor& executor) : never_(executor, Timer::time_point::max()) {}

  Coro<void> wait() {
    ErrorCode cancelled;
    while (!notified_) co_await never_.async_wait(into(cancelled));
    notified_ = false;
  }
  void notify() {
    notified_ = true;
    never_.cancel();
  }

 private:
  using Steady = std::chrono::steady_clock;
  using Timer = asio::basic_waitable_timer<Steady, asio::wait_traits<Steady>, Executor>;
  Timer never_;  // it never fires: cancelling it is the notification
  bool notified_ = false;
};

// Buffers for one gathered write, without allocation. The bytes are the caller's.
class Gather final {
 public:
  // What Asio asks of a sequence of buffers.
  using value_type = asio::const_buffer;
  // NOLINTNEXTLINE(readability-identifier-naming): Asio looks it up by this name
  using const_iterator = const asio::const_buffer*;
  static constexpr std::size_t kMost = 24;

  void add(std::string_view bytes) {
    if (bytes.empty()) return;
    INVARIANT(end_ < kMost);
    buffers_[end_++] = asio::const_buffer(bytes.data(), bytes.size());
    bytes_ += bytes.size();
  }
  void consume(std::size_t count) {
    bytes_ -= count;
    while (count > 0 && count >= buffers_[begin_].size()) count -= buffers_[begin_++].size();
    if (count > 0) buffers_[begin_] += count;
  }
  void clear() { begin_ = end_ = bytes_ = 0; }
  std::size_t bytes() const { return bytes_; }
  std::size_t room() const { return kMost - end_; }
  const_iterator begin() const { return buffers_.data() + begin_; }
  const_iterator end() const { return buffers_.data() + end_; }

 private:
  std::array<asio::const_buffer, kMost> buffers_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace granary::gateway
