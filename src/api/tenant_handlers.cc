#include "api/agent_answer.h"
#include "api/handlers.h"
#include "api/limits.h"
#include "api/views.h"
#include "base/text.h"

// Tenants: the documents of the registry, the wishes for lifecycle.
namespace granary::api {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;
using registry::Account;
using store::Transaction;

namespace {

Result<registry::Filter> filter_of(const Request& request) {
  registry::Filter filter;
  filter.after = request.query_or("after", "");
  TRY_ASSIGN(filter.limit, page_limit(request));
  TRY_ASSIGN(filter.kind, registry::kind_from(request.query_or("kind", "tenant")));
  const std::string state = request.query_or("state", "");
  if (!state.empty()) {
    TRY_ASSIGN(filter.state, registry::state_from(state));
  }
  return filter;
}

// The tenant as the registry has it.
Task<Result<api_wire::TenantDocument>> document_of(Context& context, AccountId id) {
  std::vector<Account> accounts;
  std::vector<registry::DomainClaim> claims;
  ReleaseNames names;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(Account account, registry::get(tx, id));
    accounts.push_back(std::move(account));
    TRY_ASSIGN(claims, registry::list_claims(tx, id));
    TRY_ASSIGN(names, release_names(tx, accounts));
    return {};
  }));
  auto document =
      tenant_document(accounts.front(), names, context.options.gateway, context.parts.clock.wall());
  for (const auto& claim : claims) document.domain_claims.push_back(claim_document(claim));
  co_return document;
}

// What only the cloud knows.
Task<void> add_actual(Context& context, AccountId id, api_wire::TenantDocument& document) {
  const auto actual = co_await agent_answer(context, context.parts.lifecycle.inspect(id));
  if (!actual) {
    // An account that is yet to be made is no problem.
    if (actual.error().code != Code::NotFound) document.cloud_problem = actual.error().message;
    co_return;
  }
  for (const auto& service : actual->services)
    document.services.push_back(service_document(service));
  document.disk_used_bytes = actual->disk_used_bytes;
  document.disk_quota_bytes = actual->disk_quota_bytes;
  document.encryption = actual->encryption;
  if (actual->yields_cpu) document.yields_cpu = true;
  if (!actual->problem.empty()) document.cloud_problem = actual->problem;
}

// Why it is so. While the cloud does not say what is deployed, nothing is said to be not.
Task<void> add_condition(Context& context, AccountId id, api_wire::TenantDocument& document) {
  const auto condition = co_await context.parts.lifecycle.condition(id);
  if (!condition) co_return;
  if (condition->newest) document.operation = condition->newest->id.value;
  if (condition->failed) document.last_failure = failure_document(*condition->failed);
  document.secrets_not_set = condition->secrets_not_set;
  if (document.cloud_problem) co_return;
  for (const std::string& name : condition->services) {
    const auto known = std::ranges::find(document.services, name, &api_wire::ServiceDocument::name);
    if (known == document.services.end())
      document.services.push_back({.name = name, .phase = "not_deployed"});
  }
}

Result<std::chrono::milliseconds> retention(const api_wire::OffboardDocument& wish) {
  if (wish.retain && wish.retain_ms)
    return base::fail(Code::InvalidArgument, "give retain or retain_ms, not both");
  if (wish.retain) return base::parse_duration(*wish.retain);
  constexpr std::uint64_t kTenYears = 10ULL * 366 * 24 * 3600 * 1000;
  if (wish.retain_ms.value_or(0) > kTenYears)
    return base::fail(Code::InvalidArgument, "nothing is retained for more than ten years");
  if (!wish.retain_ms) return kDefaultRetention;
  return std::chrono::milliseconds(*wish.retain_ms);
}

// Of the services that the account has, the one that is asked for.
Result<std::string> choose_service(const cloud::Actual& actual, const std::string& wanted) {
  std::vector<std::string> names;
  for (const auto& service : actual.services) names.push_back(service.name);
  if (wanted.empty() && names.size() == 1) return names.front();
  const bool known = std::ranges::find(names, wanted) != names.end();
  if (known) return wanted;
  const std::string advice = names.empty()
                                 ? "Nothing is deployed in this account yet"
                                 : fmt::format("It has the services {}", fmt::join(names, ", "));
  if (wanted.empty())
    return base::fail_with_advice(names.empty() ? Code::NotFound : Code::InvalidArgument,
                                  "which service's log is meant?", advice);
  return base::fail_with_advice(Code::NotFound,
                                fmt::format("there is no service {}", base::quote(wanted)), advice);
}

Result<bool> query_flag(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end() || found->second == "false") return false;
  if (found->second.empty() || found->second == "true") return true;
  return base::fail(Code::InvalidArgument, "parameter '{}' must be true or false", name);
}

// The service whose log is asked for; the one without a name for the access log.
Result<std::string> log_asked_for(const Request& request, const cloud::Actual& actual) {
  TRY_ASSIGN(const bool access, query_flag(request, "access"));
  if (!access && request.query.contains("request"))
    return base::fail_with_advice(Code::InvalidArgument, "only the access log knows requests",
                                  "Ask for it with access=true");
  if (access) return std::string();
  return choose_service(actual, request.query_or("service", ""));
}

// What was never deployed has written nothing; why it was not stands elsewhere.
base::Failure no_log(const AccountId& id, const base::Error& error) {
  if (error.code != Code::NotFound) return base::Failure(error);
  return base::fail_with_advice(
      Code::NotFound, fmt::format("nothing of '{}' is deployed, so there is no log", id.value),
      fmt::format("Its last failure says why: granary tenant show {}", id.value));
}

// An access log's line ends with the request's id.
void keep_request(std::vector<std::string>& lines, const std::string& id) {
  if (!id.empty())
    std::erase_if(lines, [&](const std::string& line) { return !line.ends_with(" " + id); });
}

}  // namespace

Answer list_tenants(Context& context, Request request) {
  CO_TRY_ASSIGN(registry::Filter filter, filter_of(request));
  const std::uint32_t limit = filter.limit++;
  std::vector<Account> accounts;
  ReleaseNames names;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(accounts, registry::list(tx, filter));
    TRY_ASSIGN(names, release_names(tx, accounts));
    return {};
  }));
  api_wire::TenantList page;
  cut_page(page, accounts, limit, [](const Account& account) { return account.id.value; });
  for (const Account& account : accounts)
    page.items.push_back(
        tenant_document(account, names, context.options.gateway, context.parts.clock.wall()));
  co_return answer(page);
}

Answer create_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(auto wish, body_of<api_wire::CreateTenantDocument>(request));
  lifecycle::CreateTenant create;
  CO_TRY_ASSIGN(std::string id, base::parse_slug(wish.id, "tenant name"));
  create.id = AccountId(std::move(id));
  create.name = wish.name.value_or("");
  create.plan = wish.plan.value_or(create.plan);
  create.cloud = wish.cloud.value_or(create.cloud);
  create.release = wish.release.value_or("latest");
  create.domains = std::move(wish.domains);
  create.discovery = std::move(wish.discovery);
  create.labels = std::move(wish.labels);
  create.settings = std::move(wish.settings);
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.create(std::move(create), caller_of(request)));
  co_return accepted(operation);
}

Answer show_tenant(Context& context, Request request) {
  const AccountId id = tenant_in(request);
  CO_TRY_ASSIGN(auto document, co_await document_of(context, id));
  co_await add_actual(context, id, document);
  co_await add_condition(context, id, document);
  co_return answer(document);
}

Answer update_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(auto wish, body_of<api_wire::UpdateTenantDocument>(request));
  lifecycle::UpdateTenant update;
  update.id = tenant_in(request);
  update.details.name = std::move(wish.name);
  update.details.plan = std::move(wish.plan);
  update.details.labels = std::move(wish.labels);
  update.details.settings = std::move(wish.settings);
  update.details.add_domains = std::move(wish.add_domains);
  update.details.remove_domains = std::move(wish.remove_domains);
  update.details.add_discovery = std::move(wish.add_discovery);
  update.details.remove_discovery = std::move(wish.remove_discovery);
  update.release = std::move(wish.release);
  if (wish.change_app.value_or(false)) update.other_app = lifecycle::UpdateTenant::OtherApp::Allow;
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.update(std::move(update), caller_of(request)));
  co_return accepted(operation);
}

Answer suspend_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.suspend(tenant_in(request), caller_of(request)));
  co_return accepted(operation);
}

Answer resume_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.resume(tenant_in(request), caller_of(request)));
  co_return accepted(operation);
}

Answer offboard_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto wish, body_of<api_wire::OffboardDocument>(request));
  lifecycle::Offboard offboard;
  offboard.id = tenant_in(request);
  CO_TRY_ASSIGN(offboard.retain, retention(wish));
  if (!wish.final_export.value_or(true))
    offboard.final_export = lifecycle::Offboard::FinalExport::No;
  if (!wish.dry_run.value_or(false)) {
    CO_TRY_ASSIGN(const auto operation,
                  co_await context.parts.lifecycle.offboard(offboard, caller_of(request)));
    co_return accepted(operation);
  }
  CO_TRY_ASSIGN(const auto plan,
                co_await agent_answer(context, context.parts.lifecycle.plan_offboard(offboard)));
  api_wire::OffboardPlanDocument document;
  document.tenant = plan.account.id.value;
  document.state = to_string(plan.account.state);
  document.retain_ms = static_cast<std::uint64_t>(offboard.retain.count());
  document.disk_used_bytes = plan.disk_used_bytes;
  document.steps = plan.steps;
  co_return answer(document);
}

Answer pin_tenant(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto wish, body_of<api_wire::PinDocument>(request));
  const base::WallTime now = context.parts.clock.wall();
  std::optional<base::WallTime> until;
  if (wish.until) {
    CO_TRY_ASSIGN(until, moment_of("until", *wish.until, now, Direction::Hence));
    if (*until <= now)
      co_return base::fail_with_advice(Code::InvalidArgument, "a pin's end must lie ahead",
                                       "Leave until out to pin for good");
  }
  const AccountId id = tenant_in(request);
  CO_TRY(co_await context.parts.lifecycle.pin(id, until, caller_of(request)));
  CO_TRY_ASSIGN(const auto document, co_await document_of(context, id));
  co_return answer(document);
}

Answer unpin_tenant(Context& context, Request request) {
  const AccountId id = tenant_in(request);
  CO_TRY(co_await context.parts.lifecycle.unpin(id, caller_of(request)));
  CO_TRY_ASSIGN(const auto document, co_await document_of(context, id));
  co_return answer(document);
}

Answer read_tenant_log(Context& context, Request request) {
  CO_TRY_ASSIGN(std::uint64_t cursor, query_number(request, "cursor", 0));
  CO_TRY_ASSIGN(const bool follow, query_flag(request, "follow"));
  const AccountId id = tenant_in(request);
  CO_TRY(co_await context.parts.lifecycle.get(id));
  const auto found = co_await agent_answer(context, context.parts.lifecycle.inspect(id));
  if (!found) co_return no_log(id, found.error());
  const cloud::Actual& actual = *found;
  base::ServiceId service{id, ""};
  CO_TRY_ASSIGN(service.service, log_asked_for(request, actual));
  const std::string request_id = request.query_or("request", "");
  const base::BootTime end = context.parts.clock.boot() + kFollowTime;
  for (;;) {
    CO_TRY_ASSIGN(auto chunk, co_await agent_answer(
                                  context, context.parts.lifecycle.read_log(service, cursor)));
    const bool more = !chunk.lines.empty();
    keep_request(chunk.lines, request_id);
    cursor = chunk.cursor;
    if (more && chunk.lines.empty()) continue;  // what is asked for may be further on
    const bool later = follow && chunk.lines.empty() && context.parts.clock.boot() < end;
    if (!later) {
      co_return answer(
          api_wire::LogDocument{service.service, std::move(chunk.lines), chunk.cursor});
    }
    CO_TRY(co_await context.parts.timer.sleep(kFollowStep));
  }
}

}  // namespace granary::api
