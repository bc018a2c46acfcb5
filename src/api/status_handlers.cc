#include <fmt/ranges.h>

#include "api/handlers.h"
#include "api/limits.h"
#include "api/openapi.h"
#include "api/views.h"
#include "api/wire/platform_documents.h"
#include "registry/account.h"

// The fleet at a glance, and what monitoring asks for.
namespace granary::api {

using base::Result;
using base::Task;
using registry::Account;
using store::Transaction;

namespace {

// What is wrong with services, by account.
using ServiceFaults = std::map<base::AccountId, std::string>;

Task<Result<void>> count_services(Context& context, api_wire::StatusDocument& status,
                                  ServiceFaults& faults) {
  std::string after;
  do {
    CO_TRY_ASSIGN(const cloud::Page page, co_await context.parts.fleet.list(after, kFleetPage));
    for (const cloud::Actual& account : page.accounts) {
      for (const cloud::ServiceStatus& service : account.services) {
        ++status.services;
        ++status.by_phase[service.phase];
        if (service.phase != "backing_off") continue;
        faults[account.account] = fmt::format("{}: {}", service.name, service.last_failure);
      }
    }
    after = page.next;
  } while (!after.empty());
  co_return Result<void>();
}

std::string fault_of(const Account& account, const ServiceFaults& faults) {
  const auto fault = faults.find(account.id);
  if (fault != faults.end()) return fault->second;
  if (account.health == registry::Health::Failing) return account.health_detail;
  return "see granary tenant show " + account.id.value;
}

void count(const Account& account, const ServiceFaults& faults, api_wire::StatusDocument& status) {
  ++status.accounts;
  ++status.by_state[std::string(to_string(account.state))];
  const bool bad = account.state == registry::State::Failed ||
                   account.health == registry::Health::Failing || faults.contains(account.id);
  const std::string health(to_string(bad ? registry::Health::Failing : account.health));
  ++status.by_health[health];
  if (!bad) return;
  ++status.unhealthy_accounts;
  if (status.unhealthy.size() >= kMaxNamed) return;
  status.unhealthy.push_back(
      {account.id.value, std::string(to_string(account.state)), health, fault_of(account, faults)});
}

Task<Result<void>> count_accounts(Context& context, const ServiceFaults& faults,
                                  api_wire::StatusDocument& status) {
  registry::Filter filter;
  filter.limit = kFleetPage;
  for (;;) {
    std::vector<Account> accounts;
    CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
      TRY_ASSIGN(accounts, registry::list(tx, filter));
      return {};
    }));
    for (const Account& account : accounts) count(account, faults, status);
    if (accounts.size() < filter.limit) co_return Result<void>();
    filter.after = accounts.back().id.value;
  }
}

// Accounts that failed have no health to tell of: what left them so is looked up, for some of them.
Task<void> explain(Context& context, api_wire::StatusDocument& status) {
  std::size_t left = kMaxExplained;
  for (auto& account : status.unhealthy) {
    if (account.state != to_string(registry::State::Failed) || left == 0) continue;
    --left;
    const auto condition = co_await context.parts.lifecycle.condition(base::AccountId(account.id));
    if (condition && condition->failed && condition->failed->error)
      account.detail = condition->failed->error->message;
  }
}

Response text(std::string body, std::string type) {
  Response response;
  response.type = std::move(type);
  response.body = std::move(body);
  return response;
}

// Operations that are not final; few in a healthy installation.
Task<Result<std::uint64_t>> count_operations(Context& context, operation::State state) {
  operation::Engine::Filter filter;
  filter.state = state;
  filter.limit = kMaxPage;
  std::uint64_t number = 0;
  for (;;) {
    CO_TRY_ASSIGN(const auto page, co_await context.parts.engine.list(filter));
    number += page.size();
    if (page.size() < filter.limit) co_return number;
    filter.after = page.back().id.value;
  }
}

void write_clock(const lifecycle::TimeKeeper& time, MetricsWriter& writer) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.difference()).count();
  writer.family("granary_clock_ahead_seconds", "gauge",
                "Of the clock, while it disagrees with the time that has passed.");
  writer.sample({}, static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0)));
  writer.family("granary_clock_behind_seconds", "gauge", "The same, the other way round.");
  writer.sample({}, static_cast<std::uint64_t>(std::max<std::int64_t>(-seconds, 0)));
}

void write_own(const Metrics& metrics, MetricsWriter& writer) {
  writer.family("granary_operations_ended_total", "counter",
                "Operations that ended since this process started.");
  for (const auto& [state, number] : metrics.operations_ended)
    writer.sample({{"state", state}}, number);
  writer.family("granary_api_requests_total", "counter", "Requests answered by the API.");
  for (const auto& [key, number] : metrics.requests) {
    const auto& [method, route, status] = key;
    writer.sample({{"method", method}, {"route", route}, {"status", std::to_string(status)}},
                  number);
  }
  writer.family("granary_api_connections", "gauge", "Open connections to the API.");
  writer.sample({}, metrics.connections);
  writer.family("granary_api_event_streams", "gauge", "Open event streams.");
  writer.sample({}, metrics.streams);
  writer.family("granary_api_uploads", "gauge", "Bundles on their way in.");
  writer.sample({}, metrics.uploads);
  writer.family("granary_api_archive_transfers", "gauge", "Archives on their way, in or out.");
  writer.sample({}, metrics.archive_uploads + metrics.downloads);
}

}  // namespace

Answer show_status(Context& context, Request) {
  api_wire::StatusDocument status;
  ServiceFaults faults;
  // A cloud that is away must not hide what the registry knows.
  const auto counted = co_await count_services(context, status, faults);
  if (!counted) status.cloud_problem = counted.error().message;
  if (std::string problem = context.parts.time.problem(); !problem.empty())
    status.clock_problem = std::move(problem);
  CO_TRY(co_await count_accounts(context, faults, status));
  co_await explain(context, status);
  PlatformState state = co_await context.parts.platform.look();
  status.not_ready = std::move(state.not_ready);
  status.warnings = std::move(state.warnings);
  status.free_bytes = state.free_bytes;
  // Away for the count, and back by the look.
  if (!counted && status.not_ready.empty()) status.not_ready.push_back(counted.error().message);
  co_return answer(status);
}

Answer stream_events(Context& context, Request) {
  if (context.metrics.streams >= kMaxStreams)
    co_return base::fail(base::Code::Exhausted, "{} event streams are open already", kMaxStreams);
  Response response;
  response.kind = Response::Kind::Events;
  co_return response;
}

Answer show_openapi(Context&, Request) {
  co_return text(base::json::print(openapi_document(routes())) + "\n", "application/json");
}

Answer show_health(Context&, Request) { co_return text("ok\n", "text/plain; charset=utf-8"); }

Answer show_readiness(Context& context, Request) {
  CO_TRY(co_await context.parts.store.read([](Transaction& tx) -> Result<void> {
    TRY(registry::count_by_state(tx));
    return {};
  }));
  const PlatformState state = co_await context.parts.platform.look();
  if (state.not_ready.empty()) co_return text("ok\n", "text/plain; charset=utf-8");
  co_return base::fail_with_advice(base::Code::Unavailable,
                                   fmt::format("{}", fmt::join(state.not_ready, "; ")),
                                   "granary status tells when it is back");
}

Answer show_metrics(Context& context, Request) {
  std::map<registry::State, std::int64_t> accounts;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(accounts, registry::count_by_state(tx));
    return {};
  }));
  MetricsWriter writer;
  writer.family("granary_accounts", "gauge", "Accounts by state.");
  for (const auto& [state, number] : accounts)
    writer.sample({{"state", std::string(to_string(state))}}, static_cast<std::uint64_t>(number));
  writer.family("granary_operations", "gauge", "Operations under way, by state.");
  for (const auto state :
       {operation::State::Queued, operation::State::Running, operation::State::Waiting}) {
    CO_TRY_ASSIGN(const std::uint64_t number, co_await count_operations(context, state));
    writer.sample({{"state", std::string(operation::to_string(state))}}, number);
  }
  const PlatformState state = co_await context.parts.platform.look();
  writer.family("granary_data_free_bytes", "gauge",
                "Free on the disk of the data directory, for the platform and its tenants.");
  writer.sample({}, state.free_bytes);
  writer.family("granary_roles_away", "gauge", "Roles that are needed and do not answer.");
  writer.sample({}, state.not_ready.size());
  write_clock(context.parts.time, writer);
  write_own(context.metrics, writer);
  co_return text(writer.take(), "text/plain; version=0.0.4; charset=utf-8");
}

}  // namespace granary::api
