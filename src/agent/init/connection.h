// One forwarded connection: a client's socket, the app's, and a flow each way. Owned by the
// Forwarder, which frees it between two steps, never inside an event; single-threaded.
#pragma once

#include <cstdint>

#include "agent/init/flow.h"
#include "agent/init/poller.h"
#include "agent/init/sys.h"

namespace granary::init {

class Connection final {
 public:
  enum class Stage {
    Waiting,     // accepted; nothing is read from the client yet
    Connecting,  // the kernel is connecting to the app
    Open,
    Closed,  // both sockets are closed; to be freed
  };

  // What a connection tells its owner, from within start(), connect() or an event.
  class Owner {
   public:
    virtual void on_connected() = 0;
    // It is Waiting again; the owner tries again or closes it.
    virtual void on_refused(Connection& connection, int error) = 0;
    virtual void on_closed() = 0;
    // It has more to copy at once: call pump() after the others had their turn.
    virtual void on_more() = 0;

   protected:
    ~Owner() = default;
  };

  // All references must outlive the connection.
  Connection(Owner& owner, Poller& poller, CopyBuffer& buffer, sys::Fd client);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Where a connection leads to: a TCP port on loopback, or a unix socket.
  struct Destination {
    std::uint16_t port = 0;
    const char* path = nullptr;  // instead of the port
  };

  // False if the kernel would not watch the client; then close it.
  bool start();
  void connect(const Destination& destination);
  void pump();
  // The app has ended: what it had sent still goes out, then the connection closes.
  void end_with_app();
  void close();

  Stage stage() const { return stage_; }
  bool has_more() const { return has_more_; }

 private:
  // Tells the events of the two sockets apart.
  class End final : public EventHandler {
   public:
    explicit End(Connection& connection) : connection_(connection) {}
    void on_events(std::uint32_t events) override { connection_.on_events(*this, events); }

    sys::Fd fd;
    Peer peer;

   private:
    Connection& connection_;
  };

  void on_events(End& end, std::uint32_t events);
  void finish_connecting(std::uint32_t events);
  void refuse(int error);
  bool watch(End& end);

  Owner& owner_;
  Poller& poller_;
  Stage stage_ = Stage::Waiting;
  bool has_more_ = false;
  bool app_has_ended_ = false;
  std::uint16_t port_ = 0;  // 0: it leads to a unix socket
  End client_{*this};
  End app_{*this};
  Flow to_app_;
  Flow to_client_;
};

}  // namespace granary::init
