// A client's connection with deadlines, plain or within TLS: the same verbs as a Stream. Without
// TLS each of them is the Stream's own, behind one look at a pointer. Owned by the session; one
// thread. One read and one write may wait at the same time.
#pragma once

#include <memory>

#include "gateway/stream.h"
#include "gateway/tls.h"

namespace granary::gateway {

class ClientStream final {
 public:
  ClientStream(Sweeper& sweeper, TcpSocket socket) : plain_(sweeper, std::move(socket)) {}

  // From here on it speaks TLS. `tls` and `blocks` outlive this.
  void begin_tls(const Tls& tls, Blocks& blocks) {
    tls_ = std::make_unique<TlsChannel>(tls, plain_.socket(), blocks);
  }
  // Null: plain.
  TlsChannel* tls() const { return tls_.get(); }
  // Back to plain, for a client that never spoke it.
  void drop_tls() { tls_.reset(); }
  // To its end, within `within` of now. False with `error` set: timed_out, or protocol_error for
  // whatever tls()->failure() says.
  Coro<bool> handshake(std::chrono::nanoseconds within, ErrorCode& error);

  const TcpSocket& socket() const { return plain_.socket(); }

  // As Stream's. In TLS `eof` is what the client said itself; a connection that just ends is an
  // error.
  Coro<std::size_t> read_some(asio::mutable_buffer room, std::chrono::nanoseconds within,
                              ErrorCode& error) {
    if (!tls_) return plain_.read_some(room, within, error);
    return read_tls(room, within, error);
  }
  bool write_now(Gather& bytes, ErrorCode& error) {
    if (!tls_) return plain_.write_now(bytes, error);
    return write_tls_now(bytes, error);
  }
  Coro<void> write_rest(Gather& bytes, std::chrono::nanoseconds stall, ErrorCode& error) {
    if (!tls_) return plain_.write_rest(bytes, stall, error);
    return write_tls_rest(bytes, stall, error);
  }

  base::os::PeerEnd peer();

  void cancel() { plain_.cancel(); }
  // What was sent is not the whole of what was promised: close() does not say otherwise.
  void mark_cut() { cut_ = true; }
  // The peer hears that nothing more comes, and may still send.
  void end_sending();
  void close();

 private:
  Coro<std::size_t> read_tls(asio::mutable_buffer room, std::chrono::nanoseconds within,
                             ErrorCode& error);
  bool write_tls_now(Gather& bytes, ErrorCode& error);
  Coro<void> write_tls_rest(Gather& bytes, std::chrono::nanoseconds stall, ErrorCode& error);

  Stream<Tcp> plain_;
  std::unique_ptr<TlsChannel> tls_;
  bool cut_ = false;
};

}  // namespace granary::gateway
