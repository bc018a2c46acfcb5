// The ways into the silos: who is being asked how much, connections kept open between requests, and
// waking what sleeps. A connection belongs to one service of one account and to one epoch of it,
// and is never used for another. Owned by the Gateway; one thread.
//
//   admit ── over the limit ──► nothing (429)
//     │ in_flight += 1
//     ├─ take_pooled: the epoch read now equals the connection's
//     └─ connect ── epoch 0, or nobody listens ──► agent ──► connect again ──► 503 in the end
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "gateway/agent_client.h"
#include "gateway/limits.h"
#include "gateway/router.h"
#include "gateway/stream.h"
#include "wire/activity_board.h"
#include "wire/paths.h"

namespace granary::gateway {

struct Upstream {
  Upstream(Sweeper& sweeper, LocalSocket socket, std::uint32_t of_epoch)
      : stream(sweeper, std::move(socket)), epoch(of_epoch) {}
  Stream<Local> stream;
  std::uint32_t epoch;
  base::BootTime idle_since{0};
};

// A service that has requests or connections now; without either it is forgotten.
struct BusyService {
  base::ServiceId id;
  std::uint32_t slot = 0;
  std::string socket;
  wire::BoardSlot* board = nullptr;
  std::vector<std::unique_ptr<Upstream>> idle;  // the one used last at the end
  std::uint32_t leases = 0;
  std::uint32_t tunnels = 0;  // of these, that became one: they count as requests no more
  std::uint32_t wishes = 0;   // of these, that are one or would become one
  bool retired = false;       // its slot went to another service meanwhile
};

class Upstreams;

// One request in flight, on the board from birth to death: also while it is a tunnel, so that the
// service is not put to sleep. While the agent is asked for a life it is set aside: the agent holds
// it, and waits for those alone that the present life works on (decision 20).
class Lease final {
 public:
  enum class Kind { Request, Wish, Tunnel };

  // `kind`: Wish for a request that asks for another protocol.
  Lease(Upstreams& owner, BusyService& service, Kind kind)
      : owner_(&owner), service_(&service), kind_(kind) {}
  Lease(Lease&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)),
        service_(other.service_),
        kind_(other.kind_),
        counted_(other.counted_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  BusyService& service() const { return *service_; }
  wire::BoardSlot& board() const { return *service_->board; }
  // A Wish came true. It takes no place among the requests any more.
  void become_tunnel() {
    ASSERT(kind_ == Kind::Wish);
    kind_ = Kind::Tunnel;
    ++service_->tunnels;
  }
  // Off the board's count: what no life of the service works on, so that none need wait for it
  // before it is stopped. It keeps its place among those that the service may have. Idempotent.
  void set_aside() {
    if (std::exchange(counted_, false)) board().in_flight.fetch_sub(1);
  }
  // On it again. The board's epoch is to be read after this, as after admit().
  void count_again() {
    if (!std::exchange(counted_, true)) board().in_flight.fetch_add(1);
  }
  bool counted() const { return counted_; }
  Kind kind() const { return kind_; }

 private:
  Upstreams* owner_;
  BusyService* service_;
  Kind kind_;
  bool counted_ = true;
};

// Why there is no way into a silo: for the answer, and for the log.
struct NoWay {
  base::Code code = base::Code::Unavailable;
  std::chrono::milliseconds retry_after{0};
};

class Upstreams final {
 public:
  struct Parts {
    const wire::Paths& paths;
    wire::ActivityBoard& board;
    AgentClient& agent;
    const GatewayLimits& limits;
    Sweeper& sweeper;
    base::Timer& timer;
    Executor executor;
  };
  explicit Upstreams(Parts parts) : parts_(parts) {}
  ~Upstreams();  // asserts that no lease is left
  Upstreams(const Upstreams&) = delete;
  Upstreams& operator=(const Upstreams&) = delete;

  // Forgets what a former gateway left in flight in slots that were not seen before: there is only
  // this one.
  void adopt(const wire::Snapshot& snapshot);

  enum class Full { Requests, Tunnels };
  // Not when as many requests are in flight as the service takes, nor one more Wish when as many
  // tunnels are open.
  std::expected<Lease, Full> admit(const Route& route, Lease::Kind kind);
  // A connection of the service's present epoch on which the silo says nothing, idle for `most` at
  // the most; null where there is none.
  std::unique_ptr<Upstream> take_pooled(const Lease& lease, std::chrono::nanoseconds most);
  // A new connection, having woken the service if it sleeps. How long a start may take is the
  // agent's to say: time that an earlier life takes to end is none of it.
  using Connected = std::expected<std::unique_ptr<Upstream>, NoWay>;
  Coro<Connected> connect(Lease& lease, Patience patience);
  // Asks the agent about a service whose connections end without an answer: running, or not?
  Coro<std::optional<NoWay>> ask_again(Lease& lease, Patience patience);
  // This life has taken a request from its queue, so it serves: who waits there waits for a turn,
  // and not for a start.
  void note_serving(const Lease& lease, std::uint32_t epoch) {
    serving_[lease.service().slot] = epoch;
  }
  bool is_serving(const Lease& lease, std::uint32_t epoch) const {
    const auto known = serving_.find(lease.service().slot);
    return known != serving_.end() && known->second == epoch;
  }
  // A connection that may carry another request.
  void keep(const Lease& lease, std::unique_ptr<Upstream> upstream);

  // Closes what was idle for too long, and all connections to a life that ended.
  void sweep(base::BootTime now);
  void close_idle();
  std::size_t pooled() const { return pooled_; }

 private:
  friend class Lease;
  BusyService& find(const Route& route);
  Coro<Activated> activate(Lease& lease, Patience patience);
  void release(BusyService& service, const Lease& lease);
  void forget_if_unused(BusyService& service);

  Parts parts_;
  std::unordered_map<std::uint32_t, std::unique_ptr<BusyService>> services_;  // by slot
  std::list<std::unique_ptr<BusyService>> retired_;  // with leases, their slot taken by another
  // By slot, of those that were ever asked for: no two lives of one have the same epoch.
  std::unordered_map<std::uint32_t, std::uint32_t> serving_;
  std::vector<bool> seen_ = std::vector<bool>(wire::ActivityBoard::kSlots);
  std::size_t pooled_ = 0;
};

}  // namespace granary::gateway
