#include "api/agent_answer.h"
#include "api/handlers.h"
#include "api/wire/platform_documents.h"

// Where accounts differ from what they are to be, and mending that.
namespace granary::api {

using base::AccountId;

Answer show_drift(Context& context, Request) {
  CO_TRY_ASSIGN(const lifecycle::Drift drift,
                co_await agent_answer(context, context.parts.lifecycle.find_drift()));
  api_wire::DriftDocument document;
  document.compared = drift.compared;
  document.under_way = drift.under_way;
  for (const lifecycle::DriftItem& item : drift.items)
    document.items.push_back({item.account.value, item.cloud, std::string(to_string(item.kind)),
                              item.detail, item.advice});
  co_return answer(document);
}

Answer repair_drift(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto wish, body_of<api_wire::RepairDocument>(request));
  lifecycle::Repair repair;
  for (const std::string& id : wish.recreate) repair.recreate.emplace_back(AccountId(id));
  for (const std::string& id : wish.destroy) repair.destroy.emplace_back(AccountId(id));
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.repair(std::move(repair), caller_of(request)));
  co_return accepted(operation);
}

}  // namespace granary::api
