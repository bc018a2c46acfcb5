#include "lifecycle/testing/simulation/view.h"

#include "base/json.h"
#include "lifecycle/desired.h"

namespace granary::lifecycle::simulation {
namespace {

using base::Result;
using store::Transaction;

Result<void> read_operations(Transaction& tx, const Journal& journal, View& view) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT id, kind, subject, actor, state, step, error, "
                     "CASE WHEN kind = 'tenant.restore' AND scratch LIKE '%\"problem\"%' THEN 1 "
                     "ELSE 0 END, CASE WHEN kind = 'tenant.restore' AND input LIKE '%\"was\"%' "
                     "THEN 1 ELSE 0 END, parent FROM operation ORDER BY id"));
  view.operations.reserve(rows.size());
  for (const store::Row& row : rows) {
    OperationRow& operation = view.operations.emplace_back();
    operation.id = row.text(0);
    operation.kind = row.text(1);
    operation.subject = row.text(2);
    operation.actor = row.text(3);
    TRY_ASSIGN(operation.state, operation::state_from(row.text(4)));
    operation.step = row.text(5);
    if (const auto error = row.maybe_text(6)) {
      TRY_ASSIGN(const auto document, base::json::parse_object(*error, 1U << 20));
      operation.error = base::json::to_error(document);
    }
    if (const auto parent = row.maybe_text(9)) operation.parent = base::OperationId(*parent);
    const bool restore = operation.kind == "tenant.restore";
    operation.makes_tenant = operation.kind == "tenant.create" || (restore && row.integer(8) == 0);
    operation.takes_back = restore && operation.makes_tenant && row.integer(7) == 1;
    const Call* call = journal.find(operation.actor);
    // Follow-ups have the actor of what they follow, but are of another kind.
    if (call != nullptr && call->kind == operation.kind) operation.call = call;
  }
  return {};
}

Result<void> read_accounts(Transaction& tx, View& view) {
  registry::Filter filter;
  filter.limit = 1'000;
  for (;;) {
    TRY_ASSIGN(const auto page, registry::list(tx, filter));
    view.accounts.insert(view.accounts.end(), page.begin(), page.end());
    if (page.size() < filter.limit) return {};
    filter.after = page.back().id.value;
  }
}

Result<void> read_globals(Transaction& tx, const base::SealingKey& key, View& view) {
  TRY_ASSIGN(const auto plans, registry::list_plans(tx));
  for (const registry::Plan& plan : plans) {
    const auto memory = plan.ceilings.memory_bytes;
    if (memory) view.globals["plan/" + plan.name] = std::to_string(*memory);
  }
  TRY_ASSIGN(const auto secrets, registry::list_secrets(tx));
  for (const registry::Secret& secret : secrets) {
    TRY_ASSIGN(const std::string sealed, base::from_base64(secret.sealed));
    TRY_ASSIGN(std::string value, key.unseal(sealed, secret_context(secret.account, secret.name)));
    if (secret.account.empty()) {
      view.globals["secret/" + secret.name] = std::move(value);
    } else {
      view.secrets[secret.account.value][secret.name] = std::move(value);
    }
  }
  return {};
}

Result<void> read_archives(Transaction& tx, View& view) {
  registry::ArchiveFilter filter;
  filter.limit = 1'000;
  for (;;) {
    TRY_ASSIGN(const auto page, registry::list_archives(tx, filter));
    view.archives.insert(view.archives.end(), page.begin(), page.end());
    if (page.size() < filter.limit) return {};
    filter.after = page.back().id;
  }
}

Result<void> read_all(Transaction& tx, const World& world, View& view) {
  TRY(read_operations(tx, world.journal, view));
  TRY(read_accounts(tx, view));
  TRY(read_globals(tx, world.sealing_key(), view));
  TRY(read_archives(tx, view));
  TRY_ASSIGN(view.slots, registry::all_slots(tx));
  TRY_ASSIGN(view.audit, registry::verify_audit(tx));
  return {};
}

// Its row went with the step before the one that it is at now.
bool has_ended_tenant(const OperationRow& operation) {
  if (operation.kind == "tenant.offboard") return operation.step == "unpublish";
  return operation.takes_back && (operation.step == "reopen" || operation.step == "conclude");
}

// Each update makes its own release the desired one when it runs, and one that ends without having
// done it leaves the one before: which release is desired is known where none of that is going on.
void judge_release(const Journal& journal, TenantView& tenant) {
  const bool moves = std::ranges::any_of(tenant.operations, [&](const OperationRow* operation) {
    return operation->kind == "tenant.update" &&
           (!operation::is_final(operation->state) ||
            journal.was_retried(base::OperationId(operation->id)));
  });
  if (moves) tenant.expected.release_known = false;
}

// The life of each name, told by its operations.
void fold(const Journal& journal, View& view) {
  for (const OperationRow& operation : view.operations) {
    if (operation.call != nullptr && operation.call->applies_globally)
      operation.call->applies_globally(view.expected_globals);
    if (!operation.subject.starts_with("tenant/")) continue;
    TenantView& tenant = view.tenants[operation.subject.substr(7)];
    if (operation.makes_tenant) tenant.operations.clear();
    tenant.operations.push_back(&operation);
    if (operation.call != nullptr && operation.call->applies)
      operation.call->applies(tenant.expected);
    if (operation.kind == "tenant.update" && operation::is_final(operation.state) &&
        operation.state != operation::State::Succeeded)
      tenant.expected.release_known = false;
    if (has_ended_tenant(operation)) tenant.expected = Expected();
  }
  for (auto& [name, tenant] : view.tenants) judge_release(journal, tenant);
  for (const registry::Account& account : view.accounts)
    view.tenants[account.id.value].row = &account;
}

}  // namespace

bool TenantView::busy() const {
  return std::ranges::any_of(operations, [](const OperationRow* operation) {
    return !operation::is_final(operation->state);
  });
}

View look(World& world) {
  View view;
  world.disk.look([&](Transaction& tx) { return read_all(tx, world, view); });
  fold(world.journal, view);
  return view;
}

}  // namespace granary::lifecycle::simulation
