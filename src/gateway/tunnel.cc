#include "gateway/tunnel.h"

#include "base/log.h"

namespace granary::gateway {
Coro<Tunnel::Moved> Tunnel::run() {
  last_moved_ = core_.sweeper.now();
  Gather& out = ends_.kit.to_client;
  out.clear();
  out.add(ends_.kit.answer.text);
  out.add(ends_.kit.tail);
  out.add(ends_.early);
  moved_.to_client = out.bytes();
  ErrorCode error;
  if (!ends_.client.write_now(out, error))
    co_await ends_.client.write_rest(out, kWriteStall, error);
  if (error) co_return moved_;
  // Joined below.
  asio::co_spawn(core_.executor, to_silo(), [this](const std::exception_ptr& failure) {
    if (failure) base::log::error("a tunnel ended by an exception");
    sending_ = false;
    done_.notify();
  });
  std::exception_ptr thrown;
  try {
    co_await to_client();
    // tidy: allow(catch-all): thrown on, once the other direction, which refers to this, has ended
  } catch (...) {
    thrown = std::current_exception();
    cut();
  }
  while (sending_) co_await done_.wait();
  if (thrown) std::rethrow_exception(thrown);
  co_return moved_;
}

// Both directions end.
void Tunnel::cut() {
  ends_.client.mark_cut();
  ends_.client.close();
  ends_.silo.stream.close();
}

Coro<void> Tunnel::to_silo() {
  Inbox& inbox = ends_.inbox;
  inbox.widen();
  ErrorCode error;
  while (!error) {
    if (inbox.empty()) {
      const std::size_t got = co_await ends_.client.read_some(inbox.room(), kTunnelPause, error);
      inbox.filled(got);
      if (error == asio::error::timed_out && !is_idle()) error = {};
      if (error == asio::error::eof) co_return ends_.silo.stream.end_sending();
      if (inbox.empty()) continue;
    }
    Gather out;
    out.add(inbox.bytes());
    moved_.to_silo += out.bytes();
    last_moved_ = core_.sweeper.now();
    if (!ends_.silo.stream.write_now(out, error))
      co_await ends_.silo.stream.write_rest(out, kTunnelPause, error);
    inbox.consume(inbox.bytes().size());
  }
  cut();
}

Coro<void> Tunnel::to_client() {
  const auto room = asio::buffer(ends_.kit.block.data(), kBlockBytes);
  ErrorCode error;
  while (!error) {
    const std::size_t got = co_await ends_.silo.stream.read_some(room, kTunnelPause, error);
    if (error == asio::error::timed_out && !is_idle()) error = {};
    if (error == asio::error::eof) co_return ends_.client.end_sending();
    if (got == 0) continue;
    Gather out;
    out.add({ends_.kit.block.data(), got});
    moved_.to_client += got;
    last_moved_ = core_.sweeper.now();
    if (!ends_.client.write_now(out, error))
      co_await ends_.client.write_rest(out, kTunnelPause, error);
  }
  cut();
}

}  // namespace granary::gateway
