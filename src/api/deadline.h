// How long one step of a conversation over a socket may take: when the time is up, what waits on
// the socket ends with operation_aborted, and expired() says why. Unlike Beast's stream it leaves
// the socket open, so that a slow client can still be told. Lives on the socket's executor.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>

#include "base/async.h"

namespace granary::api {

class Deadline final {
 public:
  // The socket outlives it.
  explicit Deadline(base::asio::ip::tcp::socket& socket)
      : timer_(socket.get_executor()), state_(std::make_shared<State>(State{&socket, false})) {}
  ~Deadline() { state_->socket = nullptr; }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // Replaces the time that is running.
  void start(std::chrono::milliseconds time) {
    state_->expired = false;
    ++state_->generation;
    timer_.expires_after(time);
    timer_.async_wait([state = state_, generation = state_->generation](base::ErrorCode error) {
      // It may have been replaced between its expiry and this call.
      if (error || state->socket == nullptr || generation != state->generation) return;
      state->expired = true;
      base::ErrorCode ignored;
      state->socket->cancel(ignored);
    });
  }
  bool expired() const { return state_->expired; }

 private:
  struct State {
    base::asio::ip::tcp::socket* socket = nullptr;  // null: the Deadline is gone
    bool expired = false;
    std::uint64_t generation = 0;
  };

  base::asio::steady_timer timer_;
  std::shared_ptr<State> state_;  // shared with the timer's handlers, which may run after it
};

}  // namespace granary::api
