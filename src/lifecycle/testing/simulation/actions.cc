#include "lifecycle/testing/simulation/customers.h"

// What customers and operators ask for of tenants, each as one small function. The table is at the
// end.
namespace granary::lifecycle::simulation {
namespace {

template <class Map, class Changes>
void apply_changes(const Changes& changes, Map& to) {
  for (const auto& [name, value] : changes) {
    if (value) {
      to[name] = *value;
    } else {
      to.erase(name);
    }
  }
}

}  // namespace

void apply(const CreateTenant& create, Expected& expected) {
  expected = Expected();
  expected.exists = true;
  expected.name = create.name.empty() ? create.id.value : create.name;
  expected.plan = create.plan;
  expected.labels = create.labels;
  expected.settings = create.settings;
  expected.domains = {create.domains.begin(), create.domains.end()};
  for (const ReleaseName& release : kReleases) {
    if (create.release == release.id) expected.release_hash = release.hash;
  }
}

void apply(const UpdateTenant& update, Expected& expected) {
  if (update.details.name) expected.name = *update.details.name;
  if (update.details.plan) {
    expected.plan = *update.details.plan;
    expected.plan_known = true;
  }
  apply_changes(update.details.labels, expected.labels);
  apply_changes(update.details.settings, expected.settings);
  for (const std::string& domain : update.details.remove_domains) expected.domains.erase(domain);
  for (const std::string& domain : update.details.add_domains) expected.domains.insert(domain);
  for (const ReleaseName& release : kReleases) {
    if (update.release != release.id) continue;
    expected.release_hash = release.hash;
    expected.release_known = true;
  }
}

namespace {

using base::AccountId;
using base::Result;
using base::Task;
using namespace std::chrono_literals;

CreateTenant some_tenant_to_create(Customer& customer) {
  CreateTenant create;
  create.id = AccountId(customer.some_tenant());
  create.name = customer.chance(0.5) ? "" : customer.some_value();
  create.release = customer.some_release().id;
  create.labels["made"] = customer.some_value();
  create.settings["first"] = customer.some_value();
  if (customer.chance(0.3)) create.domains = {fmt::format("d{}.example", customer.pick(20))};
  return create;
}

Call& begin_create(Customer& customer, const CreateTenant& create) {
  return customer.world().journal.begin("tenant.create", create.id.value,
                                        [create](Expected& expected) { apply(create, expected); });
}

Customer::Ask ask_create(const CreateTenant& create) {
  return [create](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.create(create, std::move(caller));
  };
}

Task<void> create_tenant(Customer& customer) {
  const CreateTenant create = some_tenant_to_create(customer);
  co_await customer.request(begin_create(customer, create), ask_create(create));
}

// Somebody else wants the same name in the same moment.
Task<void> create_twice(Customer& customer) {
  const CreateTenant create = some_tenant_to_create(customer);
  const CreateTenant other = [&] {
    CreateTenant changed = create;
    changed.labels["made"] = customer.some_value();
    changed.domains.clear();
    return changed;
  }();
  Call& first = begin_create(customer, create);
  Call& second = begin_create(customer, other);
  customer.world().spawn([](World& world, Call& call, CreateTenant wanted) -> Task<void> {
    Customer somebody(world, 1'000'000 + call.number);
    co_await somebody.request(call, ask_create(wanted));
  }(customer.world(), second, other));
  co_await customer.request(first, ask_create(create));
}

UpdateTenant some_update(Customer& customer) {
  UpdateTenant update;
  update.id = AccountId(customer.some_tenant());
  registry::Details& details = update.details;
  if (customer.chance(0.2)) details.name = customer.some_value();
  if (customer.chance(0.5))
    details.labels[fmt::format("l{}", customer.pick(3))] = customer.some_value();
  if (customer.chance(0.2)) details.labels["made"] = std::nullopt;
  if (customer.chance(0.5))
    details.settings[fmt::format("s{}", customer.pick(3))] = customer.some_value();
  if (customer.chance(0.2)) details.settings["first"] = std::nullopt;
  if (customer.chance(0.2)) details.add_domains = {fmt::format("d{}.example", customer.pick(20))};
  if (customer.chance(0.2))
    details.remove_domains = {fmt::format("d{}.example", customer.pick(20))};
  if (details.add_domains == details.remove_domains) details.remove_domains.clear();
  if (customer.chance(0.5)) update.release = customer.some_release().id;
  return update;
}

Task<void> update_tenant(Customer& customer) {
  const UpdateTenant update = some_update(customer);
  Call& call = customer.world().journal.begin(
      "tenant.update", update.id.value, [update](Expected& expected) { apply(update, expected); });
  const auto key = customer.chance(0.8) ? Customer::Key::Yes : Customer::Key::No;
  co_await customer.request(
      call,
      [update](Lifecycle& lifecycle, Caller caller) {
        return lifecycle.update(update, std::move(caller));
      },
      key);
}

Task<void> suspend_tenant(Customer& customer) {
  const AccountId id(customer.some_tenant());
  Call& call = customer.world().journal.begin("tenant.suspend", id.value, {});
  co_await customer.request(call, [id](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.suspend(id, std::move(caller));
  });
}

Task<void> resume_tenant(Customer& customer) {
  const AccountId id(customer.some_tenant());
  Call& call = customer.world().journal.begin("tenant.resume", id.value, {});
  co_await customer.request(call, [id](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.resume(id, std::move(caller));
  });
}

Task<void> offboard_tenant(Customer& customer) {
  Offboard offboard;
  offboard.id = AccountId(customer.some_tenant());
  // At once, after minutes, after hours.
  const std::chrono::milliseconds longest[] = {0ms, 0ms, 10min, 6h};
  const auto most = static_cast<std::uint64_t>(longest[customer.pick(4)].count());
  offboard.retain = std::chrono::milliseconds(customer.pick(most + 1));
  Call& call = customer.world().journal.begin("tenant.offboard", offboard.id.value, {});
  customer.world().keep(call, offboard.retain);
  co_await customer.request(call, [offboard](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.offboard(offboard, std::move(caller));
  });
}

// An operation that the customer has heard of, rather a late one.
std::optional<base::OperationId> some_operation(Customer& customer) {
  const auto& known = customer.world().journal.known();
  if (known.empty()) return std::nullopt;
  const std::uint64_t back = customer.pick(std::min<std::uint64_t>(known.size(), 50));
  return known[known.size() - 1 - back];
}

Task<void> retry_operation(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  const auto id = some_operation(customer);
  if (!control || !id) co_return;
  // Whether it was answered or not: it may be taken up from now on.
  customer.world().journal.note_retry(*id);
  const auto answer = co_await control->engine().retry(*id);
  customer.world().trace.line("retry of {}: {}", id->value,
                              answer ? "granted" : answer.error().message);
}

Task<void> cancel_operation(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  const auto id = some_operation(customer);
  if (!control || !id) co_return;
  const auto answer = co_await control->engine().cancel(*id);
  customer.world().trace.line("cancel of {}: {}", id->value,
                              answer ? operation::to_string(answer->state) : "not granted");
  if (answer && !control->dead() && !operation::is_final(answer->state))
    customer.world().fail(
        fmt::format("{} was cancelled, but is {}", id->value, operation::to_string(answer->state)));
}

// What the console does all day; it must not disturb anything.
Task<void> look_around(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  if (!control) co_return;
  const AccountId id(customer.some_tenant());
  (void)co_await control->lifecycle().get(id);
  (void)co_await control->lifecycle().inspect(id);
  (void)co_await control->lifecycle().plan_offboard({.id = id});
  (void)co_await control->engine().list({.kind = "tenant.update", .limit = 10});
  if (const auto known = some_operation(customer)) {
    (void)co_await control->engine().find(*known);
    (void)co_await control->engine().history(*known);
  }
}

}  // namespace

const std::vector<Action>& tenant_actions() {
  static const std::vector<Action> all = {
      {"create", 30, create_tenant},   {"create twice", 3, create_twice},
      {"update", 25, update_tenant},   {"suspend", 8, suspend_tenant},
      {"resume", 10, resume_tenant},   {"offboard", 12, offboard_tenant},
      {"retry", 6, retry_operation},   {"cancel", 4, cancel_operation},
      {"look around", 5, look_around},
  };
  return all;
}

}  // namespace granary::lifecycle::simulation
