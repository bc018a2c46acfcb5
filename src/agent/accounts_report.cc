#include "agent/accounts.h"
#include "agent/disk_problem.h"
#include "agent/failure.h"
#include "agent/limits.h"
#include "agent/log_writer.h"

// What is: asked from the services, and from the kernel.
namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;

// Its quota is still the promised one.
wire::AccountReport Accounts::report_of(const Account& account) const {
  wire::AccountReport report;
  report.account = account.spec->account;
  report.version = account.spec->version;
  report.release_hash = account.spec->release_hash;
  report.isolation = parts_.launcher.isolation();
  report.disk_quota_bytes = account.spec->disk_bytes;
  report.yields_cpu = fairness_.steps_back(report.account);
  if (std::ranges::find(room_.read_only, report.account) != room_.read_only.end())
    report.problem = kReadOnlyDisk;
  for (const auto& service : account.services) report.services.push_back(service->report());
  return report;
}

// Nothing is known of it but that it is there.
wire::AccountReport Accounts::report_of_damaged(const AccountId& id) const {
  wire::AccountReport report;
  report.account = id;
  report.isolation = parts_.launcher.isolation();
  report.problem = damaged_.at(id);
  return report;
}

// Adds what has to be asked from the kernel.
Task<std::vector<wire::AccountReport>> Accounts::measured(
    std::vector<wire::AccountReport> reports) {
  co_await base::run_on(parts_.worker, [this, &reports] {
    for (wire::AccountReport& report : reports) {
      const auto use = parts_.volumes.use(report.account);
      if (report.problem.empty()) report.problem = problem_of(use, report.disk_quota_bytes);
      report.disk_quota_bytes = 0;
      if (use) {
        report.disk_used_bytes = use->used_bytes;
        report.disk_quota_bytes = use->quota_bytes;
        report.encryption = use->encryption;
      }
      for (wire::ServiceReport& service : report.services) {
        if (service.pid == 0) continue;
        const auto usage = parts_.cgroups.usage({report.account, service.name});
        if (!usage) continue;
        service.memory_bytes = usage->memory_bytes;
        if (usage->processes_refused > 0 && service.last_failure.empty())
          service.last_failure = describe_process_limit(usage->processes_limit);
      }
    }
    return true;
  });
  co_return reports;
}

Task<Result<wire::AccountReport>> Accounts::report(AccountId id) {
  const auto found = accounts_.find(id);
  if (found == accounts_.end() && !damaged_.contains(id))
    co_return base::fail(Code::NotFound, "no account {} on this machine", id.value);
  auto reports = co_await measured(
      {found == accounts_.end() ? report_of_damaged(id) : report_of(found->second)});
  co_return std::move(reports.front());
}

std::optional<std::uint32_t> Accounts::ordinal_of(const AccountId& id) const {
  const auto found = accounts_.find(id);
  if (found == accounts_.end()) return std::nullopt;
  return found->second.spec->ordinal;
}

// What we stop ourselves is no fault of the app: the log has it, the report has not.
Task<Result<void>> Accounts::note_fault(base::ServiceId id, std::uint32_t epoch,
                                        std::string reason) {
  const std::shared_ptr<Service> service = find(id);
  if (!service)
    co_return base::fail(Code::NotFound, "no service {} on this machine", to_string(id));
  const base::WallTime now = parts_.clock.wall();
  if (const std::optional<StopCause> cause = service->stopped_for(epoch))
    reason = fmt::format("it was stopped for {}: {}", to_string(*cause), reason);
  else
    service->note_fault(fmt::format(
        "{} {}", base::to_rfc3339(std::chrono::floor<std::chrono::seconds>(now)), reason));
  co_return co_await base::run_on(parts_.worker, [this, &id, now, &reason] {
    return append_log(options_.paths, id, now, reason);
  });
}

Task<Result<Accounts::Page>> Accounts::list(std::string after, std::uint32_t limit) {
  Page page;
  limit = std::clamp<std::uint32_t>(limit, 1, kMaxListPage);
  auto entry = accounts_.upper_bound(AccountId(after));
  auto damaged = damaged_.upper_bound(AccountId(after));
  const auto more = [&] { return entry != accounts_.end() || damaged != damaged_.end(); };
  while (more() && page.accounts.size() < limit) {  // the two in one order
    const bool whole =
        damaged == damaged_.end() || (entry != accounts_.end() && entry->first < damaged->first);
    page.accounts.push_back(whole ? report_of((entry++)->second)
                                  : report_of_damaged((damaged++)->first));
  }
  if (more()) page.next = page.accounts.back().account.value;
  page.accounts = co_await measured(std::move(page.accounts));
  co_return page;
}

}  // namespace granary::agent
