// A socket with deadlines: the client's (TCP) or a silo's (unix). Reads and writes are bounded in
// time by the Sweeper; writing first tries without suspending. Owned by a ClientStream or by the
// pool of upstream connections; one thread. One read and one write may wait at the same time.
#pragma once

#include "base/os/peer_end.h"
#include "gateway/io.h"
#include "gateway/sweeper.h"

namespace granary::gateway {

template <class Protocol>
class Stream final : public Swept {
 public:
  using Socket = asio::basic_stream_socket<Protocol, Executor>;

  Stream(Sweeper& sweeper, Socket socket) : Swept(sweeper), socket_(std::move(socket)) {
    ErrorCode ignored;
    socket_.non_blocking(true, ignored);
  }

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }

  // Some bytes, at least one; 0 with `error` set. timed_out when `within` has passed.
  Coro<std::size_t> read_some(asio::mutable_buffer room, std::chrono::nanoseconds within,
                              ErrorCode& error) {
    read_due_ = sweeper().now() + within;
    expired_ = false;
    const std::size_t got = co_await socket_.async_read_some(room, into(error));
    read_due_ = kNever;
    name_expiry(error);
    co_return got;
  }

  // What is there now; 0 and would_block when nothing is.
  std::size_t read_now(asio::mutable_buffer room, ErrorCode& error) {
    return socket_.read_some(room, error);
  }

  // As much as goes without waiting. True when nothing is left to do: all is written, or `error`.
  bool write_now(Gather& bytes, ErrorCode& error) {
    error = {};
    while (bytes.bytes() > 0) {
      bytes.consume(socket_.write_some(bytes, error));
      if (error == asio::error::would_block) return false;
      if (error) return true;
    }
    return true;
  }

  // The rest of it. `bytes` and `error` outlive the wait. timed_out when the peer took nothing for
  // `stall`.
  Coro<void> write_rest(Gather& bytes, std::chrono::nanoseconds stall, ErrorCode& error) {
    expired_ = false;
    error = {};
    while (bytes.bytes() > 0 && !error) {
      write_due_ = sweeper().now() + stall;
      bytes.consume(co_await socket_.async_write_some(bytes, into(error)));
    }
    write_due_ = kNever;
    name_expiry(error);
  }

  // Until there is something to read, be it the end; or room to write. For those who read and write
  // the socket themselves. timed_out when `within` has passed.
  Coro<void> wait_to_read(std::chrono::nanoseconds within, ErrorCode& error) {
    read_due_ = sweeper().now() + within;
    expired_ = false;
    co_await socket_.async_wait(asio::socket_base::wait_read, into(error));
    read_due_ = kNever;
    name_expiry(error);
  }
  Coro<void> wait_to_write(std::chrono::nanoseconds within, ErrorCode& error) {
    write_due_ = sweeper().now() + within;
    expired_ = false;
    co_await socket_.async_wait(asio::socket_base::wait_write, into(error));
    write_due_ = kNever;
    name_expiry(error);
  }
  base::BootTime now() const { return sweeper().now(); }

  base::os::PeerEnd peer() { return base::os::peer_end(socket_.native_handle()); }

  // Nothing to read, and nobody left: what a connection between two requests must look like.
  bool is_quiet() {
    char byte = 0;
    ErrorCode error;
    socket_.receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
    return error == asio::error::would_block;
  }

  // Ends what waits here, with operation_aborted.
  void cancel() {
    ErrorCode ignored;
    socket_.cancel(ignored);
  }
  // The peer hears that nothing more comes, and may still send.
  void end_sending() {
    ErrorCode ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
  }
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
  }

  void sweep(base::BootTime now) override {
    if (now < read_due_ && now < write_due_) return;
    read_due_ = write_due_ = kNever;
    expired_ = true;
    cancel();
  }

 private:
  void name_expiry(ErrorCode& error) const {
    if (error == asio::error::operation_aborted && expired_) error = asio::error::timed_out;
  }

  Socket socket_;
  base::BootTime read_due_ = kNever;
  base::BootTime write_due_ = kNever;
  bool expired_ = false;
};

}  // namespace granary::gateway
