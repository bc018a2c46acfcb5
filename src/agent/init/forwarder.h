// Takes connections from a listening socket and forwards each to where somebody else listens. In
// port mode from the silo's socket to the app's TCP port: connections that come before the app
// listens are held until it does. For egress from a port on loopback to the platform's socket:
// there nothing is held. Owned by the supervisor; single-threaded. Knows nothing of HTTP.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "agent/init/connection.h"
#include "agent/init/flow.h"
#include "agent/init/limits.h"
#include "agent/init/poller.h"

namespace granary::init {

// How long to wait before the app's port is tried again, when it has been tried in vain for
// `waited`. Grows with it, so that trying adds some six percent at most to any start.
std::chrono::milliseconds retry_delay(std::chrono::nanoseconds waited);

class Forwarder final : private EventHandler, private Connection::Owner {
 public:
  class Owner {
   public:
    // The app has accepted its first connection. Called once.
    virtual void on_app_listens() = 0;
    // Connecting fails for another reason than that nobody listens yet. Called once.
    virtual void on_app_unreachable(int error) = 0;

   protected:
    ~Owner() = default;
  };

  // `max_connections` <= kMaxConnections. References must outlive the forwarder; `scratch` is
  // shared and holds nothing between events.
  struct Settings {
    int listener = -1;  // not owned; becomes non-blocking
    Connection::Destination destination;
    std::size_t max_connections = kMaxConnections;
    std::span<char> scratch;
    // Whether connections wait for somebody to listen, or are closed when nobody does.
    enum class Hold { UntilFirst, Never } hold = Hold::UntilFirst;
  };
  Forwarder(Poller& poller, Owner& owner, const Settings& settings);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  bool start();
  // New connections stay in the listener's queue; those there are go on.
  void stop_accepting();
  // The app has ended: what it had sent still goes out, then each connection closes.
  void end_with_app();

  // To be called after the events of each step.
  void after_events(sys::MonotonicTime now);
  // When after_events() wants to be called although nothing happens.
  std::optional<sys::MonotonicTime> next_turn(sys::MonotonicTime now) const;

  std::size_t connections() const { return count_; }

 private:
  enum class Accepting {
    Yes,
    Full,      // until a connection ends
    Paused,    // the kernel refused one: until resume_at_
    Finished,  // for good
  };

  void on_events(std::uint32_t events) override;
  void on_connected() override;
  void on_refused(Connection& connection, int error) override;
  void on_closed() override { some_closed_ = true; }
  void on_more() override { some_have_more_ = true; }

  void accept_one(int fd);
  void suspend_accepting(Accepting why);
  void resume_accepting(sys::MonotonicTime now);
  void connect_waiting(sys::MonotonicTime now);
  void free_closed();

  Poller& poller_;
  Owner& owner_;
  const Settings settings_;
  CopyBuffer buffer_;
  Accepting accepting_ = Accepting::Finished;
  std::optional<sys::MonotonicTime> resume_at_;

  bool app_listens_ = false;
  bool told_unreachable_ = false;
  // Progress: set while any connection is Waiting, and whenever retry_at_ is; after_events() then
  // sees to it.
  bool some_wait_ = false;
  bool some_have_more_ = false;
  bool some_closed_ = false;
  std::optional<sys::MonotonicTime> first_refusal_;
  std::optional<sys::MonotonicTime> retry_at_;
  bool refused_now_ = false;

  // Safety: [0, count_) are not null, the rest is unused.
  std::array<Connection*, kMaxConnections> connections_;
  std::size_t count_ = 0;
};

}  // namespace granary::init
