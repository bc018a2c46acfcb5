#include "app/wiring/snapshot_publisher.h"

#include "app/limits.h"
#include "base/log.h"
#include "base/os/file.h"
#include "release/manifest.h"

namespace granary::app {

using base::Result;
using base::Task;

namespace {

constexpr std::size_t kMaxManifest = 1U << 20;

// What of a release is published.
struct ReleaseParts {
  wire::RoutedRelease routed;
  std::vector<std::string> egress;
};

Result<ReleaseParts> parts_of(const registry::Release& release) {
  TRY_ASSIGN(const auto document, base::json::parse_object(release.manifest, kMaxManifest));
  TRY_ASSIGN(const release::Manifest manifest, release::manifest_from_json(document));
  ReleaseParts parts{.routed = {}, .egress = manifest.egress};
  wire::RoutedRelease& routed = parts.routed;
  routed.hash = release.hash;
  routed.name = release.id.value;
  routed.frontend = manifest.frontend.has_value();
  for (const release::Service& service : manifest.services) {
    routed.services.push_back({.name = service.name,
                               .routes = service.routes,
                               .in_flight = service.limits.in_flight,
                               .start_timeout = service.start_timeout});
  }
  return parts;
}

// Collects tenants and the releases they run.
class Builder final {
 public:
  Builder(store::Transaction& tx, registry::SlotTable slots, Published& published)
      : tx_(tx),
        slots_(std::move(slots)),
        snapshot_(published.routing),
        policy_(published.egress) {}

  Result<void> add(const registry::Account& account) {
    using registry::State;
    const bool served = account.state == State::Active || account.state == State::Suspended;
    // What is routed is what is deployed: a release that is not there yet gets no traffic.
    if (!served || account.actual_release.empty()) return {};
    TRY_ASSIGN(const std::uint32_t release, release_index(account.actual_release));
    const auto& slots = slots_[account.id.value];
    wire::RoutedTenant tenant;
    tenant.account = account.id;
    tenant.public_name = account.name;
    tenant.state =
        account.state == State::Active ? wire::RouteState::Active : wire::RouteState::Suspended;
    tenant.release = release;
    tenant.domains = account.domains;
    for (const auto& service : snapshot_.releases[release].services) {
      const auto slot = slots.find(service.name);
      tenant.slots.push_back(slot == slots.end() ? 0 : slot->second);
    }
    snapshot_.tenants.push_back(std::move(tenant));
    add_egress(account, release);
    return {};
  }

 private:
  void add_egress(const registry::Account& account, std::uint32_t release) {
    const auto list = list_of_.find(release);
    if (list != list_of_.end() && account.state == registry::State::Active)
      policy_.accounts.push_back({account.id, account.ordinal, list->second});
  }

  Result<std::uint32_t> release_index(const std::string& hash) {
    const auto known = index_.find(hash);
    if (known != index_.end()) return known->second;
    TRY_ASSIGN(const auto row, registry::get_release_by_hash(tx_, hash));
    TRY_ASSIGN(ReleaseParts parts, parts_of(row));
    const auto index = static_cast<std::uint32_t>(snapshot_.releases.size());
    snapshot_.releases.push_back(std::move(parts.routed));
    if (!parts.egress.empty()) {
      list_of_[index] = static_cast<std::uint32_t>(policy_.lists.size());
      policy_.lists.push_back(std::move(parts.egress));
    }
    index_[hash] = index;
    return index;
  }

  store::Transaction& tx_;
  registry::SlotTable slots_;
  wire::Snapshot& snapshot_;
  wire::EgressPolicy& policy_;
  std::map<std::string, std::uint32_t> index_;
  std::map<std::uint32_t, std::uint32_t> list_of_;  // of releases that declare egress
};

// Not synced: they are written anew at every start of control. The policy comes first, so that no
// request reaches a release before its way out is open; it seldom changes. Resolves to its text.
Result<std::string> write_files(const wire::Paths& paths, const Published& published,
                                const std::string& old_egress) {
  using base::os::Durability;
  using base::os::replace_file;
  std::string egress = wire::encode(published.egress);
  if (egress != old_egress)
    TRY(replace_file(paths.egress_policy(), egress, 0644, Durability::Cached));
  TRY(replace_file(paths.routing(), wire::encode(published.routing), 0644, Durability::Cached));
  return egress;
}

}  // namespace

Result<Published> build_published(store::Transaction& tx, const std::string& domain) {
  Published published;
  published.routing.domain = domain;
  TRY_ASSIGN(registry::SlotTable slots, registry::all_slots(tx));
  Builder builder(tx, std::move(slots), published);
  registry::Filter filter{.after = {}, .limit = 2000, .state = {}, .kind = {}};
  for (;;) {
    TRY_ASSIGN(const auto page, registry::list(tx, filter));
    for (const registry::Account& account : page) TRY(builder.add(account));
    if (page.size() < filter.limit) return published;
    filter.after = page.back().id.value;
  }
}

SnapshotPublisher::SnapshotPublisher(base::asio::any_io_executor executor, Parts parts,
                                     wire::Paths paths, std::string domain)
    : parts_(parts),
      paths_(std::move(paths)),
      domain_(std::move(domain)),
      written_(executor),
      tasks_(std::move(executor)) {}

Task<Result<void>> SnapshotPublisher::publish() {
  const std::uint64_t mine = ++wanted_;
  if (!working_) working_ = tasks_.spawn("publish", work());
  while (done_ < mine) {
    if (tasks_.closing()) co_return base::fail(base::Code::Cancelled, "control is stopping");
    CO_TRY(co_await written_.wait());
  }
  co_return last_;
}

Task<void> SnapshotPublisher::work() {
  while (done_ < wanted_) {
    const std::uint64_t covers = wanted_;
    const base::BootTime begun = parts_.clock.boot();
    last_ = co_await write_one();
    if (!last_) base::log::error("the routing snapshot: {}", base::describe(last_.error()));
    if (last_) co_await await_gateway();
    done_ = covers;
    written_.notify_all();
    if (done_ == wanted_) break;
    if (!co_await parts_.timer.sleep((parts_.clock.boot() - begun) * kPublishPause)) break;
  }
  working_ = false;
}

Task<Result<void>> SnapshotPublisher::write_one() {
  Published published;
  const std::string domain = domain_;
  CO_TRY(co_await parts_.store.read([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(published, build_published(tx, domain));
    return {};
  }));
  // Wall time, so that it also grows over restarts of control.
  generation_ = static_cast<std::uint64_t>(parts_.clock.wall().time_since_epoch().count());
  published.routing.generation = generation_;
  // A worker: 10,000 tenants are some milliseconds of work.
  CO_TRY_ASSIGN(egress_, co_await base::run_on(parts_.worker, [&published, this, old = egress_] {
                  return write_files(paths_, published, old);
                }));
  co_return Result<void>();
}

// Static stability the other way round: a gateway that is away holds nothing up for long, and only
// once.
Task<void> SnapshotPublisher::await_gateway() {
  if (!parts_.in_force) co_return;
  std::uint64_t now = parts_.in_force();
  if (given_up_at_ == now) co_return;
  given_up_at_.reset();
  for (auto left = kGatewayPatience; now < generation_; left -= kGatewayLook) {
    if (left <= left.zero()) {
      given_up_at_ = now;
      co_return;
    }
    if (!co_await parts_.timer.sleep(kGatewayLook)) co_return;
    now = parts_.in_force();
  }
}

Task<void> SnapshotPublisher::close() {
  written_.notify_all();
  co_await tasks_.close();
}

}  // namespace granary::app
