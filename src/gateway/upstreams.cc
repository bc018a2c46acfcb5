#include "gateway/upstreams.h"

#include <algorithm>

#include "base/log.h"
#include "base/os/unix_socket.h"
#include "gateway/limits.h"

namespace granary::gateway {

using base::os::Connecting;

Lease::~Lease() {
  if (owner_ != nullptr) owner_->release(*service_, *this);
}

Upstreams::~Upstreams() {
  for (const auto& [slot, service] : services_) ASSERT(service->leases == 0);
  ASSERT(retired_.empty());
}

void Upstreams::adopt(const wire::Snapshot& snapshot) {
  for (const wire::RoutedTenant& tenant : snapshot.tenants) {
    for (const std::uint32_t slot : tenant.slots) {
      if (seen_[slot]) continue;
      seen_[slot] = true;
      wire::BoardSlot& board = parts_.board.slot(slot);
      // Reading first: writing would give each sleeping service's page a copy of its own.
      if (board.in_flight.load() != 0) board.in_flight.store(0);
    }
  }
}

BusyService& Upstreams::find(const Route& route) {
  auto& place = services_[route.slot];
  const bool other = place && (place->id.account != route.tenant->account ||
                               place->id.service != route.service->name);
  if (other) {
    pooled_ -= place->idle.size();
    place->idle.clear();
    place->retired = true;
    if (place->leases > 0) retired_.push_back(std::move(place));
    place.reset();
  }
  if (!place) {
    place = std::make_unique<BusyService>();
    place->id = {route.tenant->account, route.service->name};
    place->slot = route.slot;
    place->socket = parts_.paths.socket(place->id);
    place->board = &parts_.board.slot(route.slot);
  }
  return *place;
}

std::expected<Lease, Upstreams::Full> Upstreams::admit(const Route& route, Lease::Kind kind) {
  BusyService& service = find(route);
  // Before anything else is looked at: the agent stops no service whose count it sees.
  service.board->in_flight.fetch_add(1);
  ++service.leases;
  if (kind == Lease::Kind::Wish) ++service.wishes;
  Lease lease(*this, service, kind);
  service.board->last_activity.store(static_cast<std::uint64_t>(parts_.sweeper.now().count()),
                                     std::memory_order_relaxed);
  if (service.leases - service.tunnels > route.service->in_flight)
    return std::unexpected(Full::Requests);
  if (kind == Lease::Kind::Wish && service.wishes > parts_.limits.tunnels)
    return std::unexpected(Full::Tunnels);
  return lease;
}

void Upstreams::release(BusyService& service, const Lease& lease) {
  service.board->last_activity.store(static_cast<std::uint64_t>(parts_.sweeper.now().count()),
                                     std::memory_order_relaxed);
  if (lease.counted()) service.board->in_flight.fetch_sub(1);
  --service.leases;
  if (lease.kind() != Lease::Kind::Request) --service.wishes;
  if (lease.kind() == Lease::Kind::Tunnel) --service.tunnels;
  forget_if_unused(service);
}

void Upstreams::forget_if_unused(BusyService& service) {
  if (service.leases > 0 || !service.idle.empty()) return;
  if (!service.retired) {
    services_.erase(service.slot);
    return;
  }
  std::erase_if(retired_, [&](const auto& one) { return one.get() == &service; });
}

std::unique_ptr<Upstream> Upstreams::take_pooled(const Lease& lease,
                                                 std::chrono::nanoseconds most) {
  BusyService& service = lease.service();
  const std::uint32_t epoch = service.board->epoch.load();
  while (!service.idle.empty() && parts_.sweeper.now() - service.idle.back()->idle_since <= most) {
    std::unique_ptr<Upstream> upstream = std::move(service.idle.back());
    service.idle.pop_back();
    --pooled_;
    // What a silo said without being asked is not an answer to what it is asked next.
    if (epoch != 0 && upstream->epoch == epoch && upstream->stream.is_quiet()) return upstream;
  }
  return nullptr;
}

Coro<Activated> Upstreams::activate(Lease& lease, Patience patience) {
  lease.set_aside();
  Activated activated = co_await parts_.agent.activate(lease.service().id, patience);
  lease.count_again();
  co_return activated;
}

Coro<Upstreams::Connected> Upstreams::connect(Lease& lease, Patience patience) {
  const base::ServiceId id = lease.service().id;
  std::uint32_t epoch = lease.board().epoch.load();
  for (int activations = 0;;) {
    Connecting outcome = Connecting::NobodyListens;
    if (epoch != 0) {
      auto connection = base::os::connect_unix(lease.service().socket);
      if (!connection) {
        base::log::warn("{}: {}", to_string(id), describe(connection.error()));
        co_return std::unexpected(NoWay{connection.error().code});
      }
      outcome = connection->outcome;
      if (outcome == Connecting::Done) {
        LocalSocket socket(parts_.executor, Local(), connection->fd.release());
        co_return std::make_unique<Upstream>(parts_.sweeper, std::move(socket), epoch);
      }
    }
    const auto deadline =
        is_serving(lease, epoch) ? patience.answer : patience.began + patience.start;
    if (outcome == Connecting::Busy && parts_.sweeper.refresh() >= deadline)
      co_return std::unexpected(NoWay{base::Code::Deadline});
    if (outcome == Connecting::Busy) {
      (void)co_await await(parts_.timer.sleep(kBusyRetry));
      if (patience.gone) co_return std::unexpected(NoWay{base::Code::Cancelled});
      epoch = lease.board().epoch.load();
      continue;
    }
    if (activations++ == kActivations) co_return std::unexpected(NoWay{});
    if (activations > 1) (void)co_await await(parts_.timer.sleep(kBusyRetry));
    const Activated activated = co_await activate(lease, patience);
    if (!activated) {
      const auto retry = std::chrono::milliseconds(activated.error().retry_after_ms);
      co_return std::unexpected(NoWay{activated.error().error.code, retry});
    }
    // The life that was promised may have been stopped while this request was set aside.
    epoch = lease.board().epoch.load() == *activated ? *activated : 0;
  }
}

Coro<std::optional<NoWay>> Upstreams::ask_again(Lease& lease, Patience patience) {
  const Activated activated = co_await activate(lease, patience);
  if (activated) co_return std::nullopt;
  co_return NoWay{activated.error().error.code,
                  std::chrono::milliseconds(activated.error().retry_after_ms)};
}

void Upstreams::keep(const Lease& lease, std::unique_ptr<Upstream> upstream) {
  BusyService& service = lease.service();
  const bool full = service.idle.size() >= kPooledEach || pooled_ >= kPooledAll;
  if (full || service.retired || upstream->epoch != service.board->epoch.load()) return;
  upstream->idle_since = parts_.sweeper.now();
  service.idle.push_back(std::move(upstream));
  ++pooled_;
}

void Upstreams::sweep(base::BootTime now) {
  if (pooled_ == 0) return;
  for (auto next = services_.begin(); next != services_.end();) {
    BusyService& service = *(next++)->second;
    const std::uint32_t epoch = service.board->epoch.load();
    pooled_ -= std::erase_if(service.idle, [&](const std::unique_ptr<Upstream>& upstream) {
      return upstream->epoch != epoch || now - upstream->idle_since > kPooledIdle ||
             !upstream->stream.is_quiet();
    });
    forget_if_unused(service);
  }
}

void Upstreams::close_idle() {
  for (auto next = services_.begin(); next != services_.end();) {
    BusyService& service = *(next++)->second;
    pooled_ -= service.idle.size();
    service.idle.clear();
    forget_if_unused(service);
  }
}

}  // namespace granary::gateway
