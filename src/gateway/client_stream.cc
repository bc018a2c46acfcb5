#include "gateway/client_stream.h"

namespace granary::gateway {

using base::os::PeerEnd;
using Step = TlsChannel::Step;

Coro<bool> ClientStream::handshake(std::chrono::nanoseconds within, ErrorCode& error) {
  const base::BootTime until = plain_.now() + within;
  error = {};
  while (!error) {
    switch (tls_->handshake()) {
      case Step::Done:
        co_return true;
      case Step::WaitToRead:
        co_await plain_.wait_to_read(until - plain_.now(), error);
        break;
      case Step::WaitToWrite:
        co_await plain_.wait_to_write(until - plain_.now(), error);
        break;
      case Step::Ended:
      case Step::Failed:
        error = boost::system::errc::make_error_code(boost::system::errc::protocol_error);
        break;
    }
  }
  co_return false;
}

Coro<std::size_t> ClientStream::read_tls(asio::mutable_buffer room, std::chrono::nanoseconds within,
                                         ErrorCode& error) {
  const base::BootTime until = plain_.now() + within;
  error = {};
  while (!error) {
    std::size_t got = 0;
    switch (tls_->read(room, got)) {
      case Step::Done:
        co_return got;
      case Step::WaitToRead:
        co_await plain_.wait_to_read(until - plain_.now(), error);
        break;
      case Step::WaitToWrite:
        co_await plain_.wait_to_write(until - plain_.now(), error);
        break;
      case Step::Ended:
        error = asio::error::eof;
        break;
      case Step::Failed:
        error = asio::error::connection_reset;
        break;
    }
  }
  co_return 0;
}

bool ClientStream::write_tls_now(Gather& bytes, ErrorCode& error) {
  error = {};
  switch (tls_->write(bytes)) {
    case Step::Done:
      return true;
    case Step::WaitToRead:
    case Step::WaitToWrite:
      return false;
    case Step::Ended:
    case Step::Failed:
      error = asio::error::connection_reset;
      return true;
  }
  return true;
}

Coro<void> ClientStream::write_tls_rest(Gather& bytes, std::chrono::nanoseconds stall,
                                        ErrorCode& error) {
  error = {};
  while (!error) {
    switch (tls_->write(bytes)) {
      case Step::Done:
        co_return;
      case Step::WaitToRead:
        co_await plain_.wait_to_read(stall, error);
        break;
      case Step::WaitToWrite:
        co_await plain_.wait_to_write(stall, error);
        break;
      case Step::Ended:
      case Step::Failed:
        error = asio::error::connection_reset;
        break;
    }
  }
}

// In TLS a client that goes says so in bytes, which hide from a look at the socket that it went.
PeerEnd ClientStream::peer() {
  const PeerEnd plain = plain_.peer();
  if (!tls_ || plain == PeerEnd::Gone) return plain;
  switch (tls_->look()) {
    case Step::Done:
    case Step::WaitToRead:
    case Step::WaitToWrite:
      return plain;
    case Step::Ended:
      return PeerEnd::SaidAll;
    case Step::Failed:
      return PeerEnd::Gone;
  }
  return PeerEnd::Gone;
}

void ClientStream::end_sending() {
  if (tls_ && !cut_) tls_->say_end();
  plain_.end_sending();
}

void ClientStream::close() {
  if (tls_ && !cut_) tls_->say_end();
  plain_.close();
}

}  // namespace granary::gateway
