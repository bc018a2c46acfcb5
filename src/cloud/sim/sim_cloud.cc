#include "cloud/sim/sim_cloud.h"

#include "base/hash.h"
#include "base/json.h"

namespace granary::cloud::sim {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;

Task<Result<void>> SimCloud::enter(std::string_view verb) {
  ++calls_;
  const auto spread = static_cast<std::uint64_t>((faults_.longest - faults_.shortest).count() + 1);
  const auto extra = std::chrono::milliseconds(static_cast<std::int64_t>(rng_.below(spread)));
  CO_TRY(co_await timer_.sleep(faults_.shortest + extra));
  if (rng_.unit() < faults_.refuse)
    co_return base::fail(Code::Unavailable, "the simulated cloud is not there for {}", verb);
  co_return Result<void>();
}

Result<void> SimCloud::leave(std::string_view verb) {
  if (rng_.unit() < faults_.lose_answer)
    return base::fail(Code::Unavailable, "the answer to {} was lost", verb);
  return {};
}

Actual SimCloud::actual_of(const Desired& desired) const {
  Actual actual;
  actual.account = desired.account;
  actual.release_hash = desired.release_hash;
  actual.version = desired.version;
  actual.isolation = "simulated";
  actual.disk_quota_bytes = desired.disk_bytes;
  if (const auto problem = problems_.find(desired.account); problem != problems_.end())
    actual.problem = problem->second;
  const auto services = base::json::parse(desired.services_json, 1U << 20);
  if (!services || !services->is_array()) return actual;
  for (const auto& service : services->get_array()) {
    ServiceStatus status;
    if (const auto* object = service.if_object())
      status.name = base::json::get_string_or(*object, "name", "").value_or("");
    const auto broken = broken_.find(desired.release_hash);
    status.phase = broken == broken_.end() ? "asleep" : "backing_off";
    if (broken != broken_.end()) status.last_failure = broken->second;
    actual.services.push_back(std::move(status));
  }
  return actual;
}

Task<Result<void>> SimCloud::prepare_release(std::string release_hash) {
  CO_TRY(co_await enter("prepare_release"));
  prepared_.insert(release_hash);
  co_return leave("prepare_release");
}

Task<Result<void>> SimCloud::forget_release(std::string release_hash) {
  CO_TRY(co_await enter("forget_release"));
  for (const auto& [id, desired] : accounts_) {
    if (desired.release_hash == release_hash)
      co_return base::fail(Code::Conflict, "{} is at release {}", id.value, release_hash);
  }
  prepared_.erase(release_hash);
  co_return leave("forget_release");
}

Task<Result<Actual>> SimCloud::converge(Desired desired) {
  CO_TRY(co_await enter("converge"));
  if (!desired.release_hash.empty() && !prepared_.contains(desired.release_hash))
    co_return base::fail(Code::Conflict, "release {} was not prepared", desired.release_hash);
  if (refused_.contains(desired.release_hash))
    co_return base::fail_with_advice(Code::InvalidArgument,
                                     "service api: the command was not found: there is no 'nosuch'",
                                     "Put it into the release");
  const auto found = accounts_.find(desired.account);
  if (found == accounts_.end() && accounts_.size() >= faults_.max_accounts)
    co_return base::fail_with_advice(Code::Exhausted, "the cloud's quota of accounts is used up",
                                     "Offboard tenants, or raise the quota");
  if (found != accounts_.end() && found->second.version > desired.version)
    co_return base::fail(Code::Conflict, "account {} is at version {} already",
                         desired.account.value, found->second.version);
  const bool unknown = found != accounts_.end() && found->second.version == 0;
  if (unknown) problems_.erase(desired.account);
  if (problems_.contains(desired.account) && desired.traffic != Traffic::Suspended)
    co_return base::fail(Code::DataLoss, "the disk of {} is gone", desired.account.value);
  accounts_[desired.account] = desired;
  CO_TRY(leave("converge"));
  co_return actual_of(desired);
}

Task<Result<void>> SimCloud::destroy(AccountId account) {
  CO_TRY(co_await enter("destroy"));
  accounts_.erase(account);
  data_.erase(account);
  problems_.erase(account);
  co_return leave("destroy");
}

Task<Result<DataExport>> SimCloud::export_data(AccountId account, std::string transfer) {
  CO_TRY(co_await enter("export_data"));
  if (!accounts_.contains(account))
    co_return base::fail(Code::NotFound, "there is no account {}", account.value);
  if (full_)
    co_return base::fail_with_advice(Code::NoRoom, "an export needs more room than there is",
                                     "Make room, then try again");
  const std::string& bytes = transfers_[transfer] = data_[account];
  const DataExport written{.bytes = bytes.size(),
                           .sha256 = base::sha256_hex(bytes),
                           .files = bytes.empty() ? 0U : 1U,
                           .data_bytes = bytes.size(),
                           .paused = std::chrono::microseconds(rng_.below(1'000)),
                           .left_out = left_out_[account]};
  CO_TRY(leave("export_data"));
  co_return written;
}

Task<Result<void>> SimCloud::import_data(AccountId account, std::string transfer,
                                         std::string sha256) {
  CO_TRY(co_await enter("import_data"));
  const auto found = accounts_.find(account);
  if (found == accounts_.end())
    co_return base::fail(Code::NotFound, "there is no account {}", account.value);
  const auto bytes = transfers_.find(transfer);
  if (bytes == transfers_.end())
    co_return base::fail(Code::NotFound, "there is no transfer {}", transfer);
  if (found->second.traffic != Traffic::Suspended)
    co_return base::fail(Code::Conflict, "account {} takes traffic", account.value);
  if (base::sha256_hex(bytes->second) != sha256)
    co_return base::fail(Code::InvalidArgument, "transfer {} is damaged", transfer);
  if (bytes->second.size() > found->second.disk_bytes)
    co_return base::fail(Code::Exhausted, "the data is more than {}'s disk holds", account.value);
  data_[account] = bytes->second;
  problems_.erase(account);
  co_return leave("import_data");
}

Task<Result<Actual>> SimCloud::describe(AccountId account) {
  CO_TRY(co_await enter("describe"));
  const auto found = accounts_.find(account);
  if (found == accounts_.end())
    co_return base::fail(Code::NotFound, "there is no account {}", account.value);
  co_return actual_of(found->second);
}

Task<Result<Page>> SimCloud::list(std::string after, std::uint32_t limit) {
  CO_TRY(co_await enter("list"));
  Page page;
  for (auto at = accounts_.upper_bound(AccountId(after)); at != accounts_.end(); ++at) {
    if (page.accounts.size() == limit) {
      page.next = page.accounts.back().account.value;
      break;
    }
    page.accounts.push_back(actual_of(at->second));
  }
  co_return page;
}

Task<Result<Driver::LogChunk>> SimCloud::read_log(base::ServiceId service, std::uint64_t cursor) {
  CO_TRY(co_await enter("read_log"));
  if (!accounts_.contains(service.account))
    co_return base::fail(Code::NotFound, "there is no account {}", service.account.value);
  LogChunk chunk;
  if (cursor == 0) chunk.lines.push_back("simulated service " + service.service + " has no more");
  chunk.cursor = 1;
  co_return chunk;
}

}  // namespace granary::cloud::sim
