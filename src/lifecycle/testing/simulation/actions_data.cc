#include "base/json.h"
#include "lifecycle/testing/simulation/customers.h"

// What tenants' apps write, and what operators do with all of a tenant's data: exports, restores,
// archives.
namespace granary::lifecycle::simulation {
namespace {

std::map<std::string, std::string> texts_of(const base::json::object& from, const char* name) {
  std::map<std::string, std::string> texts;
  if (const auto* members = base::json::find_object(from, name)) {
    for (const auto& member : *members)
      texts[member.key()] = std::string(member.value().as_string());
  }
  return texts;
}

// A new tenant is as the archive has it.
void apply_archive(const base::json::object& configuration, Expected& expected) {
  expected = Expected();
  expected.exists = true;
  expected.name = base::json::get_string_or(configuration, "name", "").value_or("");
  expected.plan = base::json::get_string_or(configuration, "plan", "").value_or("");
  expected.labels = texts_of(configuration, "labels");
  expected.settings = texts_of(configuration, "settings");
  expected.domains_known = expected.release_known = expected.plan_known = false;
}

}  // namespace

std::function<void(Expected&)> restored_from(const World& world, const std::string& archive) {
  return [configuration = world.archives.head_of(archive).configuration](Expected& expected) {
    apply_archive(configuration, expected);
  };
}

namespace {

using base::AccountId;
using base::Task;
using namespace std::chrono_literals;

Task<void> use_app(Customer& customer) {
  World& world = customer.world();
  const AccountId id(customer.some_tenant());
  if (world.apps.write(id, customer.some_value())) world.apps.forget_restores(id, world.ended);
  co_return;
}

Task<void> export_tenant(Customer& customer) {
  Export wanted;
  wanted.id = AccountId(customer.some_tenant());
  wanted.keep = std::chrono::minutes(1 + customer.pick(24 * 60));
  Call& call = customer.world().journal.begin("tenant.export", wanted.id.value, {});
  customer.world().keep(call, wanted.keep);
  co_await customer.request(call, [wanted](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.export_tenant(wanted, std::move(caller));
  });
}

std::optional<std::string> some_archive(Customer& customer) {
  const std::vector<std::string> ids = customer.world().archives.ids();
  if (ids.empty()) return std::nullopt;
  return ids[customer.pick(ids.size())];
}

Task<void> restore_tenant(Customer& customer) {
  World& world = customer.world();
  const auto archive = some_archive(customer);
  if (!archive) co_return;
  Restore wanted;
  wanted.id = AccountId(customer.some_tenant());
  wanted.archive = *archive;
  if (customer.chance(0.5)) wanted.into = Restore::Into::ExistingTenant;
  std::function<void(Expected&)> applies;
  if (wanted.into == Restore::Into::NewTenant) applies = restored_from(world, *archive);
  Call& call = world.journal.begin("tenant.restore", wanted.id.value, std::move(applies));
  world.apps.restoring(wanted.id, call, world.archives.data_of(*archive));
  co_await customer.request(call, [wanted](Lifecycle& lifecycle, Caller caller) {
    return lifecycle.restore(wanted, std::move(caller));
  });
}

Task<void> remove_archive(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  const auto archive = some_archive(customer);
  if (!control || !archive) co_return;
  customer.world().archives_removed.insert(*archive);
  (void)co_await control->lifecycle().remove_archive(*archive, {"sim", ""});
}

// What control does by itself every hour.
Task<void> tidy(Customer& customer) {
  const std::shared_ptr<Control> control = customer.world().control();
  if (control) (void)co_await control->lifecycle().sweep_archives();
}

}  // namespace

const std::vector<Action>& data_actions() {
  static const std::vector<Action> all = {
      {"use the app", 20, use_app},
      {"export", 6, export_tenant},
      {"restore", 5, restore_tenant},
      {"remove an archive", 1, remove_archive},
      {"tidy", 1, tidy},
  };
  return all;
}

}  // namespace granary::lifecycle::simulation
