#include "lifecycle/testing/simulation/scenarios.h"

#include "lifecycle/testing/simulation/invariants.h"

namespace granary::lifecycle::simulation {
namespace {

using base::AccountId;
using registry::State;
using namespace std::chrono_literals;

const AccountId kTenant("t0");
const AccountId kOther("t1");
constexpr std::string_view kData = "what the app wrote";

Make create() {
  CreateTenant request;
  request.id = kTenant;
  request.release = "insight-2";
  return [request](World&) {
    return Asked{"tenant.create",
                 kTenant.value,
                 [request](Lifecycle& lifecycle, Caller caller) {
                   return lifecycle.create(request, std::move(caller));
                 },
                 [request](Expected& expected) { apply(request, expected); },
                 {}};
  };
}

Make update(UpdateTenant request) {
  request.id = kTenant;
  return [request](World&) {
    return Asked{"tenant.update",
                 kTenant.value,
                 [request](Lifecycle& lifecycle, Caller caller) {
                   return lifecycle.update(request, std::move(caller));
                 },
                 [request](Expected& expected) { apply(request, expected); },
                 {}};
  };
}

Make to_release() {
  UpdateTenant request;
  request.release = "insight-3";
  request.details.labels["l"] = "v";
  return update(request);
}

Make to_plan() {
  UpdateTenant request;
  request.details.plan = "small";
  return update(request);
}

// Of the tenant as it is, without any change to its configuration.
Make simple(std::string kind, Customer::Ask ask) {
  return [kind, ask](World&) { return Asked{kind, kTenant.value, ask, {}, {}}; };
}

Make suspend() {
  return simple("tenant.suspend", [](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.suspend(kTenant, std::move(caller));
  });
}

Make resume() {
  return simple("tenant.resume", [](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.resume(kTenant, std::move(caller));
  });
}

Make offboard(std::chrono::milliseconds retain) {
  return simple("tenant.offboard", [retain](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.offboard({.id = kTenant, .retain = retain}, std::move(caller));
  });
}

// The app has written something by then.
Make export_data() {
  return [](World& world) {
    (void)world.apps.write(kTenant, std::string(kData));
    return Asked{"tenant.export",
                 kTenant.value,
                 [](Lifecycle& lifecycle, Caller caller) {
                   return lifecycle.export_tenant({.id = kTenant, .keep = 1h}, std::move(caller));
                 },
                 {},
                 {}};
  };
}

// The app has written something else since.
Make restore(const AccountId& into) {
  return [into](World& world) {
    (void)world.apps.write(kTenant, "what is to be replaced");
    const std::string archive = world.archives.ids().front();
    Restore request{.id = into, .archive = archive, .release = {}};
    const bool replaces = into == kTenant;
    request.into = replaces ? Restore::Into::ExistingTenant : Restore::Into::NewTenant;
    Asked asked{"tenant.restore",
                into.value,
                [request](Lifecycle& lifecycle, Caller caller) {
                  return lifecycle.restore(request, std::move(caller));
                },
                {},
                {}};
    if (!replaces) asked.applies = restored_from(world, archive);
    return asked;
  };
}

Make put_plan(std::uint64_t memory_bytes) {
  registry::Plan plan;
  plan.name = "small";
  plan.ceilings.memory_bytes = memory_bytes;
  return [plan](World&) {
    return Asked{"plan.apply",
                 "",
                 [plan](Lifecycle& lifecycle, Caller caller) {
                   return lifecycle.put_plan(plan, std::move(caller));
                 },
                 {},
                 [plan](ExpectedGlobals& globals) {
                   globals["plan/small"] = std::to_string(*plan.ceilings.memory_bytes);
                 }};
  };
}

Make set_secret(const AccountId& account) {
  return [account](World&) {
    Asked asked{account.empty() ? "secret.apply" : "tenant.apply",
                account.value,
                [account](Lifecycle& lifecycle, Caller caller) {
                  return lifecycle.set_secret({account, "KEY0", "v"}, std::move(caller));
                },
                {},
                {}};
    if (account.empty()) {
      asked.applies_globally = [](ExpectedGlobals& globals) { globals["secret/KEY0"] = "v"; };
    } else {
      asked.applies = [](Expected& expected) { expected.secrets["KEY0"] = "v"; };
    }
    return asked;
  };
}

// Its account is not what its row says: somebody has set it back.
Make repair() {
  return [](World& world) {
    world.cloud.set_back(kTenant);
    return Asked{
        "fleet.repair",
        "",
        [](Lifecycle& lifecycle, Caller caller) { return lifecycle.repair({}, std::move(caller)); },
        {},
        {}};
  };
}

using End = std::function<std::string(World&)>;

End is(const AccountId& id, State state) {
  return [id, state](World& world) -> std::string {
    const View view = look(world);
    for (const registry::Account& account : view.accounts) {
      if (account.id != id) continue;
      if (account.state != state)
        return fmt::format("{} is {}", id.value, registry::to_string(account.state));
      return unlike_desired(world, account);
    }
    return id.value + " is gone";
  };
}

End gone() {
  return [](World& world) -> std::string {
    return look(world).accounts.empty() ? "" : "the tenant is still there";
  };
}

End holds(const AccountId& id) {
  return [id](World& world) -> std::string {
    std::string active = is(id, State::Active)(world);
    if (!active.empty()) return active;
    return world.cloud.data()[id] == kData ? "" : "the data was not restored";
  };
}

End exported() {
  return [](World& world) -> std::string {
    const auto ids = world.archives.ids();
    const bool whole = ids.size() == 1 && world.archives.data_of(ids.front()) == kData;
    return whole ? "" : "the archive is not whole";
  };
}

}  // namespace

std::vector<Scenario> scenarios() {
  using enum State;
  return {
      {"tenant.create", {}, create(), is(kTenant, Active)},
      {"tenant.update", {create()}, to_release(), is(kTenant, Active)},
      {"tenant.suspend", {create()}, suspend(), is(kTenant, Suspended)},
      {"tenant.resume", {create(), suspend()}, resume(), is(kTenant, Active)},
      {"tenant.offboard at once", {create()}, offboard(0ms), gone()},
      {"tenant.offboard after an hour", {create()}, offboard(1h), gone()},
      {"tenant.export", {create()}, export_data(), exported()},
      {"tenant.restore in place", {create(), export_data()}, restore(kTenant), holds(kTenant)},
      {"tenant.restore anew", {create(), export_data()}, restore(kOther), holds(kOther)},
      {"tenant.apply", {create()}, set_secret(kTenant), is(kTenant, Active)},
      {"secret.apply", {create()}, set_secret(AccountId()), is(kTenant, Active)},
      {"plan.apply",
       {create(), put_plan(64U << 20), to_plan()},
       put_plan(96U << 20),
       is(kTenant, Active)},
      {"fleet.repair", {create()}, repair(), is(kTenant, Active)},
  };
}

}  // namespace granary::lifecycle::simulation
