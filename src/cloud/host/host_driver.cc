#include "cloud/host/host_driver.h"

#include "wire/data_export.h"

namespace granary::cloud::host {

using base::Code;
using base::Result;
using base::Task;
using base::json::object;

namespace {

constexpr std::size_t kMaxServices = 1U << 20;  // bytes of the services' documents

object account_argument(const base::AccountId& account) {
  object arguments;
  arguments["account"] = account.value;
  return arguments;
}

object release_argument(const std::string& hash) {
  object arguments;
  arguments["release"] = hash;
  return arguments;
}

}  // namespace

Result<wire::AccountSpec> to_spec(const Desired& desired) {
  wire::AccountSpec spec;
  spec.account = desired.account;
  spec.ordinal = desired.ordinal;
  spec.disk_bytes = desired.disk_bytes;
  spec.release_hash = desired.release_hash;
  spec.release_name = desired.release.value;
  spec.traffic =
      desired.traffic == Traffic::Allowed ? wire::Traffic::Allowed : wire::Traffic::Suspended;
  spec.config_json = desired.config_json;
  spec.secrets = desired.secrets;
  spec.version = desired.version;
  TRY_ASSIGN(const auto services, base::json::parse(desired.services_json, kMaxServices));
  if (!services.is_array())
    return base::fail(Code::DataLoss, "the services of {} are no list", desired.account.value);
  for (const auto& service : services.get_array()) {
    if (!service.is_object())
      return base::fail(Code::DataLoss, "a service of {} is no object", desired.account.value);
    TRY_ASSIGN(wire::ServiceSpec parsed, wire::service_spec_from(service.get_object()));
    spec.services.push_back(std::move(parsed));
  }
  return spec;
}

Actual to_actual(const wire::AccountReport& report) {
  Actual actual;
  actual.account = report.account;
  actual.release_hash = report.release_hash;
  actual.version = report.version;
  actual.isolation = report.isolation;
  actual.disk_used_bytes = report.disk_used_bytes;
  actual.disk_quota_bytes = report.disk_quota_bytes;
  actual.encryption = report.encryption;
  actual.yields_cpu = report.yields_cpu;
  actual.problem = report.problem;
  for (const wire::ServiceReport& service : report.services) {
    actual.services.push_back({.name = service.name,
                               .phase = std::string(wire::to_string(service.phase)),
                               .last_failure = service.last_failure,
                               .memory_bytes = service.memory_bytes,
                               .wakes = service.wakes});
  }
  return actual;
}

Task<Result<void>> HostDriver::prepare_release(std::string release_hash) {
  CO_TRY(co_await agent_.call(wire::Verb::Unpack, release_argument(release_hash)));
  co_return Result<void>();
}

Task<Result<void>> HostDriver::forget_release(std::string release_hash) {
  CO_TRY(co_await agent_.call(wire::Verb::Forget, release_argument(release_hash)));
  co_return Result<void>();
}

Task<Result<Actual>> HostDriver::converge(Desired desired) {
  CO_TRY_ASSIGN(const wire::AccountSpec spec, to_spec(desired));
  object arguments;
  arguments["spec"] = wire::to_json(spec);
  CO_TRY(co_await agent_.call(wire::Verb::Apply, std::move(arguments)));
  co_return co_await describe(desired.account);
}

Task<Result<void>> HostDriver::destroy(base::AccountId account) {
  CO_TRY(co_await agent_.call(wire::Verb::Remove, account_argument(account)));
  co_return Result<void>();
}

Task<Result<DataExport>> HostDriver::export_data(base::AccountId account, std::string transfer) {
  object arguments = account_argument(account);
  arguments["transfer"] = transfer;
  CO_TRY_ASSIGN(const object answer,
                co_await agent_.call(wire::Verb::Export, std::move(arguments)));
  CO_TRY_ASSIGN(const wire::DataExport written, wire::data_export_from(answer));
  co_return DataExport{.bytes = written.bytes,
                       .sha256 = written.sha256,
                       .files = written.files,
                       .data_bytes = written.data_bytes,
                       .paused = written.paused,
                       .left_out = written.left_out};
}

Task<Result<void>> HostDriver::import_data(base::AccountId account, std::string transfer,
                                           std::string sha256) {
  object arguments = account_argument(account);
  arguments["transfer"] = transfer;
  arguments["sha256"] = sha256;
  CO_TRY(co_await agent_.call(wire::Verb::Import, std::move(arguments)));
  co_return Result<void>();
}

Task<Result<Actual>> HostDriver::describe(base::AccountId account) {
  CO_TRY_ASSIGN(const object answer,
                co_await agent_.call(wire::Verb::Report, account_argument(account)));
  CO_TRY_ASSIGN(const wire::AccountReport report, wire::account_report_from(answer));
  co_return to_actual(report);
}

Task<Result<Page>> HostDriver::list(std::string after, std::uint32_t limit) {
  object arguments;
  arguments["after"] = after;
  arguments["limit"] = limit;
  CO_TRY_ASSIGN(const object answer, co_await agent_.call(wire::Verb::List, std::move(arguments)));
  Page page;
  CO_TRY_ASSIGN(page.next, base::json::get_string_or(answer, "next", ""));
  const auto* accounts = base::json::find_array(answer, "accounts");
  if (accounts == nullptr) co_return page;
  for (const auto& account : *accounts) {
    if (!account.is_object()) continue;
    CO_TRY_ASSIGN(const auto report, wire::account_report_from(account.get_object()));
    page.accounts.push_back(to_actual(report));
  }
  co_return page;
}

Task<Result<Driver::LogChunk>> HostDriver::read_log(base::ServiceId service, std::uint64_t cursor) {
  object arguments = account_argument(service.account);
  arguments["service"] = service.service;
  arguments["cursor"] = cursor;
  CO_TRY_ASSIGN(const object answer, co_await agent_.call(wire::Verb::Logs, std::move(arguments)));
  LogChunk chunk;
  CO_TRY_ASSIGN(chunk.lines, base::json::get_strings(answer, "lines"));
  CO_TRY_ASSIGN(const std::int64_t next, base::json::get_int(answer, "cursor"));
  chunk.cursor = static_cast<std::uint64_t>(next);
  co_return chunk;
}

}  // namespace granary::cloud::host
