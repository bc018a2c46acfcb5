#include "agent/accounts.h"
#include "agent/limits.h"
#include "base/log.h"
#include "base/os/file.h"

// Moving accounts' data to and from transfers.
namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;

namespace {

constexpr std::string_view kUnfinished = ".new";

// Has its name only once it is whole.
Result<wire::DataArchiveInfo> pack_transfer(DataSnapshot& snapshot, const wire::Paths& paths,
                                            const std::string& transfer,
                                            const wire::DataPulse& pulse) {
  const std::string path = paths.transfer(transfer);
  const std::string beside = path + std::string(kUnfinished);
  TRY(base::os::remove_file(beside));
  TRY_ASSIGN(const auto info, snapshot.pack(beside, pulse));
  TRY_ASSIGN(const base::os::Ownership owner, base::os::owner_of(paths.transfers()));
  TRY(base::os::give_file(beside, owner));
  TRY(base::os::rename_file(beside, path));
  TRY(base::os::sync_folder(paths.transfers()));
  return info;
}

}  // namespace

wire::DataPulse Accounts::pulse() const {
  return [stopping = stopping_]() -> Result<void> {
    if (!*stopping) return {};
    return base::fail(Code::Unavailable, "the agent is stopping");
  };
}

// Holds the account only while its disk is copied: what is packed then is nobody's but ours.
Task<Result<std::unique_ptr<DataSnapshot>>> Accounts::snapshot(AccountId id) {
  CO_TRY_ASSIGN(const KeyedLock::Held held, co_await locks_.lock(id.value));
  const auto found = accounts_.find(id);
  if (found == accounts_.end())
    co_return base::fail(Code::NotFound, "no account {} on this machine", id.value);
  const wire::AccountSpec& spec = *found->second.spec;
  const bool still = spec.traffic == wire::Traffic::Suspended;
  const SnapshotOptions options{.disk = {spec.disk_bytes, options_.uid_base + spec.ordinal},
                                .longest_pause = still ? kLongestPauseSuspended : kLongestPause,
                                .pulse = pulse()};
  co_return co_await base::run_on(
      parts_.bulk, [this, &id, &options] { return parts_.volumes.snapshot(id, options); });
}

Task<Result<wire::DataExport>> Accounts::export_data(AccountId id, std::string transfer) {
  CO_TRY_ASSIGN(const KeyedLock::Held one, co_await locks_.lock("export/" + id.value));
  CO_TRY_ASSIGN(const StartGate::Place place, co_await transfers_.enter());
  CO_TRY_ASSIGN(const std::unique_ptr<DataSnapshot> data, co_await snapshot(id));
  CO_TRY_ASSIGN(const auto info, co_await base::run_on(parts_.bulk, [this, &data, &transfer] {
                  return pack_transfer(*data, options_.paths, transfer, pulse());
                }));
  base::log::info(
      "exported {}: {} files, {} bytes; its writes were held back for {} us; left out: {}",
      id.value, info.totals.files, info.totals.bytes, data->paused().count(),
      info.totals.left_out.empty() ? "nothing" : describe(info.totals.left_out));
  co_return wire::DataExport{.bytes = info.archive_bytes,
                             .sha256 = info.sha256,
                             .files = info.totals.files,
                             .data_bytes = info.totals.bytes,
                             .paused = data->paused(),
                             .left_out = info.totals.left_out};
}

Task<Result<void>> Accounts::import_data(AccountId id, std::string transfer, std::string sha256) {
  CO_TRY_ASSIGN(const StartGate::Place place, co_await transfers_.enter());
  CO_TRY_ASSIGN(const KeyedLock::Held held, co_await locks_.lock(id.value));
  const auto found = accounts_.find(id);
  if (found == accounts_.end())
    co_return base::fail(Code::NotFound, "no account {} on this machine", id.value);
  const wire::AccountSpec& spec = *found->second.spec;
  const bool runs = std::ranges::any_of(found->second.services, [](const auto& service) {
    return service->phase() != ServicePhase::Asleep;
  });
  if (spec.traffic != wire::Traffic::Suspended || runs)
    co_return base::fail_with_advice(
        Code::Conflict, "account " + id.value + " takes traffic, or runs", "Suspend it first");
  const std::string path = options_.paths.transfer(transfer);
  if (!base::os::exists(path))
    co_return base::fail(Code::NotFound, "there is no transfer {}", transfer);
  const DiskOptions disk{spec.disk_bytes, options_.uid_base + spec.ordinal};
  CO_TRY(co_await base::run_on(parts_.bulk, [&]() -> Result<void> {
    return parts_.volumes.replace(id, path, sha256, disk, pulse());
  }));
  base::log::info("imported the data of {}", id.value);
  co_return Result<void>();
}

// What cannot be cleared away keeps its account from nothing.
Task<Result<void>> Accounts::recover_transfers(const std::vector<wire::AccountSpec>& specs) {
  co_return co_await base::run_on(parts_.worker, [this, &specs]() -> Result<void> {
    for (const wire::AccountSpec& spec : specs) {
      const auto recovered = parts_.volumes.recover(spec.account);
      if (!recovered) base::log::error("{}: {}", spec.account.value, describe(recovered.error()));
    }
    const auto names = base::os::list_folder(options_.paths.transfers());
    for (const std::string& name : names.value_or(std::vector<std::string>())) {
      if (name.ends_with(kUnfinished))
        (void)base::os::remove_file(options_.paths.transfers() + "/" + name);
    }
    return {};
  });
}

}  // namespace granary::agent
