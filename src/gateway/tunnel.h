// What a connection becomes after "101 Switching Protocols": bytes both ways, unread, until one
// side ends or both are silent for too long. Lives on the stack of its exchange.
#pragma once

#include <optional>

#include "gateway/core.h"

namespace granary::gateway {

class Tunnel final {
 public:
  struct Ends {
    ClientStream& client;
    Inbox& inbox;  // what the client sent already
    Upstream& silo;
    Kit& kit;                // with the head of the answer composed, and a block
    std::string_view early;  // what the silo sent behind its head, in the block
  };
  Tunnel(Core& core, Ends ends) : core_(core), ends_(ends), done_(core.executor) {}

  struct Moved {
    std::uint64_t to_client = 0;
    std::uint64_t to_silo = 0;
  };
  // Sends the head, then moves bytes. Once; nothing of it runs any more when this resolves.
  Coro<Moved> run();

 private:
  Coro<void> to_silo();
  Coro<void> to_client();
  void cut();
  bool is_idle() const { return core_.sweeper.now() - last_moved_ >= kTunnelPause; }

  Core& core_;
  Ends ends_;
  Signal done_;
  Moved moved_;
  base::BootTime last_moved_{0};
  bool sending_ = true;  // to_silo() runs
};

}  // namespace granary::gateway
