#include "app/wiring/snapshot_publisher.h"

#include <algorithm>
#include <set>
#include <utility>

#include "app/limits.h"
#include "base/contained.h"
#include "base/log.h"
#include "base/os/file.h"
#include "lifecycle/desired.h"
#include "registry/plan.h"
#include "release/manifest.h"

namespace granary::app {

using base::Result;
using base::Task;

namespace {

constexpr std::size_t kMaxManifest = 1U << 20;

struct ParsedRelease {
  std::string hash;
  std::string name;
  release::Manifest manifest;
};

Result<ParsedRelease> parse(const registry::Release& release) {
  TRY_ASSIGN(const auto document, base::json::parse_object(release.manifest, kMaxManifest));
  TRY_ASSIGN(release::Manifest manifest, release::manifest_from_json(document));
  return ParsedRelease{release.hash, release.id.value, std::move(manifest)};
}

// What a service of this release takes at once under the plan.
std::uint32_t in_flight_under(const release::Service& service, const registry::Plan& plan) {
  return registry::under_plan(service.limits.in_flight, release::ServiceLimits().in_flight,
                              plan.defaults.in_flight, plan.ceilings.in_flight);
}

wire::RoutedRelease route_of(const ParsedRelease& release, const registry::Plan& plan) {
  wire::RoutedRelease routed;
  routed.hash = release.hash;
  routed.name = release.name;
  routed.frontend = release.manifest.frontend.has_value();
  for (const release::Service& service : release.manifest.services) {
    routed.services.push_back({.name = service.name,
                               .routes = service.routes,
                               .in_flight = in_flight_under(service, plan),
                               .start_timeout = service.start_timeout});
  }
  return routed;
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
    existing_.push_back(account.ordinal);
    if (!account.damage.empty()) return base::fail(base::Code::DataLoss, "{}", account.damage);
    TRY(add_egress(account));
    const bool served = account.state == State::Active || account.state == State::Suspended ||
                        account.state == State::Restoring;
    // What is routed is what is deployed: a release that is not there yet gets no traffic.
    if (!served || account.actual_release.empty()) return {};
    TRY_ASSIGN(const registry::Plan* plan, plan_of(account));
    TRY_ASSIGN(const std::uint32_t release, release_index(account.actual_release, *plan));
    const auto& slots = slots_[account.id.value];
    wire::RoutedTenant tenant;
    tenant.account = account.id;
    tenant.ordinal = account.ordinal;
    tenant.public_name = account.name;
    tenant.state =
        account.state == State::Active ? wire::RouteState::Active : wire::RouteState::Suspended;
    tenant.release = release;
    tenant.domains = account.domains;
    for (const std::string& key : account.discovery)
      tenant.discover.push_back(wire::discovery_digest(key));
    tenant.flags_json = base::json::print(lifecycle::flags_of(account.settings));
    for (const auto& service : snapshot_.releases[release].services) {
      const auto slot = slots.find(service.name);
      tenant.slots.push_back(slot == slots.end() ? 0 : slot->second);
    }
    snapshot_.tenants.push_back(std::move(tenant));
    return {};
  }

  // After all accounts were added.
  Result<void> finish() {
    // One whose ordinal cannot be read might be any that is missing: nobody is called gone then.
    if (std::ranges::find(existing_, 0U) != existing_.end()) return {};
    TRY_ASSIGN(const std::uint32_t last, registry::last_ordinal(tx_));
    policy_.gone = snapshot_.gone = wire::missing(std::move(existing_), last);
    return {};
  }

 private:
  // What it runs, and what it is to run: a new release may call out as soon as it is started, long
  // before its deployment is recorded.
  Result<void> add_egress(const registry::Account& account) {
    using registry::State;
    if (account.state != State::Active && account.state != State::Creating) return {};
    std::set<std::string> targets;
    for (const std::string& hash : {account.actual_release, account.desired_release}) {
      if (hash.empty()) continue;
      TRY_ASSIGN(const ParsedRelease* release, parsed(hash));
      targets.insert(release->manifest.egress.begin(), release->manifest.egress.end());
    }
    if (targets.empty()) return {};
    const auto next = static_cast<std::uint32_t>(policy_.lists.size());
    const auto [list, added] = list_of_.emplace(std::move(targets), next);
    if (added) policy_.lists.emplace_back(list->first.begin(), list->first.end());
    policy_.accounts.push_back({account.id, account.ordinal, list->second});
    return {};
  }

  Result<const ParsedRelease*> parsed(const std::string& hash) {
    const auto known = parsed_.find(hash);
    if (known != parsed_.end()) return &known->second;
    TRY_ASSIGN(const auto row, registry::get_release_by_hash(tx_, hash));
    TRY_ASSIGN(ParsedRelease release, parse(row));
    return &parsed_.emplace(hash, std::move(release)).first->second;
  }

  Result<const registry::Plan*> plan_of(const registry::Account& account) {
    auto known = plans_.find(account.plan);
    if (known == plans_.end()) {
      TRY_ASSIGN(registry::Plan plan, registry::get_plan(tx_, account.plan));
      known = plans_.emplace(account.plan, std::move(plan)).first;
    }
    return &known->second;
  }

  // Under plans that allow the same at once, tenants of one release share its entry.
  Result<std::uint32_t> release_index(const std::string& hash, const registry::Plan& plan) {
    const std::string key = fmt::format("{} {} {}", hash, plan.defaults.in_flight.value_or(0),
                                        plan.ceilings.in_flight.value_or(0));
    const auto known = index_.find(key);
    if (known != index_.end()) return known->second;
    TRY_ASSIGN(const ParsedRelease* release, parsed(hash));
    const auto index = static_cast<std::uint32_t>(snapshot_.releases.size());
    snapshot_.releases.push_back(route_of(*release, plan));
    index_[key] = index;
    return index;
  }

  store::Transaction& tx_;
  registry::SlotTable slots_;
  wire::Snapshot& snapshot_;
  wire::EgressPolicy& policy_;
  std::vector<std::uint32_t> existing_;          // ordinals
  std::map<std::string, ParsedRelease> parsed_;  // by hash
  std::map<std::string, registry::Plan> plans_;
  std::map<std::string, std::uint32_t> index_;
  std::map<std::set<std::string>, std::uint32_t> list_of_;  // in policy_.lists
};

// Not synced, as the routing is not: both are written anew at every start of control. It seldom
// changes. Gives its text.
Result<std::string> write_policy(const wire::Paths& paths, const Published& published,
                                 const std::string& old_egress) {
  using base::os::Durability;
  using base::os::replace_file;
  std::string egress = wire::encode(published.egress);
  if (egress != old_egress)
    TRY(replace_file(paths.egress_policy(), egress, 0644, Durability::Cached));
  return egress;
}

Result<void> write_routing(const wire::Paths& paths, const wire::Snapshot& routing) {
  return base::os::replace_file(paths.routing(), wire::encode(routing), 0644,
                                base::os::Durability::Cached);
}

// What the account is to be allowed; nothing where that is said by no release.
struct Wanted {
  std::uint32_t ordinal = 0;
  std::vector<std::string> targets;
};

Result<Wanted> wanted_by(store::Transaction& tx, const base::AccountId& id) {
  TRY_ASSIGN(const registry::Account account, registry::get(tx, id));
  if (account.desired_release.empty()) return Wanted();
  TRY_ASSIGN(const auto row, registry::get_release_by_hash(tx, account.desired_release));
  TRY_ASSIGN(ParsedRelease release, parse(row));
  return Wanted{account.ordinal, std::move(release.manifest.egress)};
}

bool permits(const wire::EgressPolicy& policy, const Wanted& wanted) {
  if (wanted.targets.empty()) return true;
  const auto account =
      std::ranges::find(policy.accounts, wanted.ordinal, &wire::EgressAccount::ordinal);
  if (account == policy.accounts.end()) return false;
  const std::vector<std::string>& list = policy.lists[account->list];
  return std::ranges::all_of(wanted.targets, [&](const std::string& target) {
    return std::ranges::find(list, target) != list.end();
  });
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
    for (const registry::Account& account : page) {
      // One whose release or settings cannot be read is not routed; all others are.
      const auto added = base::contained_call([&] { return builder.add(account); });
      if (!added)
        base::log::error("account {} is not routed: {}", account.id.value,
                         base::describe(added.error()));
    }
    if (page.size() < filter.limit) break;
    filter.after = page.back().id.value;
  }
  TRY(builder.finish());
  return published;
}

SnapshotPublisher::SnapshotPublisher(base::asio::any_io_executor executor, Parts parts,
                                     wire::Paths paths, std::string domain)
    : parts_(parts),
      paths_(std::move(paths)),
      domain_(std::move(domain)),
      written_(executor),
      tasks_(std::move(executor)) {}

Task<Result<void>> SnapshotPublisher::publish() {
  routing_wanted_ = true;
  co_return co_await write();
}

Task<Result<void>> SnapshotPublisher::permit(base::AccountId account) {
  Wanted wanted;
  CO_TRY(co_await parts_.store.read([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(wanted, wanted_by(tx, account));
    return {};
  }));
  if (permits(policy_, wanted)) co_return Result<void>();
  co_return co_await write();
}

Task<Result<void>> SnapshotPublisher::write() {
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
    const Files files = std::exchange(routing_wanted_, false) ? Files::Both : Files::EgressAlone;
    last_ = co_await write_one(files);
    if (!last_) base::log::error("the routing snapshot: {}", base::describe(last_.error()));
    if (last_ && files == Files::Both) co_await await_gateway();
    done_ = covers;
    written_.notify_all();
    if (done_ == wanted_) break;
    if (!co_await parts_.timer.sleep((parts_.clock.boot() - begun) * kPublishPause)) break;
  }
  working_ = false;
}

Task<Result<void>> SnapshotPublisher::write_one(Files files) {
  Published published;
  const std::string domain = domain_;
  CO_TRY(co_await parts_.store.read([&](store::Transaction& tx) -> Result<void> {
    TRY_ASSIGN(published, build_published(tx, domain));
    return {};
  }));
  // Wall time, so that it also grows over restarts of control.
  published.routing.generation =
      static_cast<std::uint64_t>(parts_.clock.wall().time_since_epoch().count());
  if (files == Files::Both) generation_ = published.routing.generation;
  // On a worker: 10,000 tenants are some milliseconds of work. The policy comes first, so that no
  // request reaches a release before its way out is open.
  CO_TRY_ASSIGN(egress_, co_await base::run_on(parts_.worker, [&, this, old = egress_] {
                  return write_policy(paths_, published, old);
                }));
  if (files == Files::Both)
    CO_TRY(co_await base::run_on(parts_.worker,
                                 [&, this] { return write_routing(paths_, published.routing); }));
  policy_ = std::move(published.egress);
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
