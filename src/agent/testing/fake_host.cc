#include "agent/testing/fake_host.h"

#include <fcntl.h>

#include <algorithm>

#include "base/check.h"
#include "base/hash.h"
#include "base/os/file.h"

namespace granary::agent {

using base::Code;
using base::Result;
using base::ServiceId;
using base::Task;

class FakeLauncher::FakeSilo final : public Silo {
 public:
  FakeSilo(FakeLauncher& launcher, std::shared_ptr<Process> process)
      : launcher_(launcher), process_(std::move(process)) {}

  int pid() const override { return process_->pid; }
  Result<void> signal(SiloSignal signal) override {
    launcher_.signal(*process_, signal);
    return {};
  }
  Task<Result<void>> ended() override {
    const std::shared_ptr<Process> process = process_;
    while (!process->ended) {
      CO_TRY(co_await process->changed.wait());
    }
    co_return Result<void>();
  }

 private:
  FakeLauncher& launcher_;
  std::shared_ptr<Process> process_;
};

void FakeLauncher::signal(Process& process, SiloSignal signal) {
  if (process.ended) return;
  if (signal == SiloSignal::Kill) ++kills_;
  if (signal == SiloSignal::Stop && ignore_stops_) return;
  SiloEnd how{.kind = SiloEnd::Kind::Signalled, .value = 15};
  how.asked = signal == SiloSignal::Stop;
  end(process.plan.service, how);
}

void FakeLauncher::end(const ServiceId& service, SiloEnd end) {
  const auto found = running_.find(service);
  ASSERT(found != running_.end());
  const std::shared_ptr<Process> process = found->second;
  running_.erase(found);
  ended_[service] = std::move(end);
  process->ended = true;
  process->changed.notify_all();
}

int FakeLauncher::starts(const ServiceId& service) const {
  return static_cast<int>(
      std::ranges::count(plans_, service, [](const SiloPlan& plan) { return plan.service; }));
}

Task<Result<std::unique_ptr<Silo>>> FakeLauncher::start(SiloPlan plan) {
  INVARIANT(!broken_.contains(plan.service.account));
  ASSERT(!running_.contains(plan.service));  // one life at a time
  ASSERT(!ended_.contains(plan.service));    // the last one was cleaned up
  ASSERT(plan.epoch != 0 && plan.listener >= 0);
  plans_.push_back(plan);
  settled_.erase(plan.service);
  ++starting_;
  while (held_) {
    if (!co_await released_.wait()) break;
  }
  --starting_;
  if (start_error_) co_return std::unexpected(*start_error_);
  auto process = std::make_shared<Process>(executor_);
  process->pid = next_pid_++;
  process->plan = std::move(plan);
  running_[process->plan.service] = process;
  co_return std::make_unique<FakeSilo>(*this, process);
}

Task<Result<AdoptedSilo>> FakeLauncher::adopt(ServiceId service) {
  INVARIANT(!broken_.contains(service.account));
  const auto found = running_.find(service);
  if (found == running_.end()) co_return base::fail(Code::NotFound, "nothing runs");
  AdoptedSilo adopted;
  CO_TRY_ASSIGN(adopted.listener, base::os::open_file("/dev/null", O_RDONLY, 0));
  adopted.epoch = found->second->plan.epoch;
  adopted.fingerprint = fingerprint(found->second->plan);
  adopted.silo = std::make_unique<FakeSilo>(*this, found->second);
  co_return adopted;
}

Task<SiloEnd> FakeLauncher::clean_up(ServiceId service) {
  INVARIANT(!broken_.contains(service.account));
  if (running_.contains(service)) end(service, {.kind = SiloEnd::Kind::Unknown});
  SiloEnd how;
  if (auto known = ended_.extract(service)) how = std::move(known.mapped());
  co_return how;
}

Task<Result<bool>> FakeLauncher::listens(ServiceId service) {
  INVARIANT(!broken_.contains(service.account));
  co_return listens_;
}

Task<std::vector<std::uint16_t>> FakeLauncher::listening_ports(ServiceId) { co_return ports_; }

Task<Result<void>> FakeLauncher::settle(ServiceId service, wire::Limits) {
  settled_.insert(service);
  co_return Result<void>();
}

Task<std::vector<ServiceId>> FakeLauncher::leftovers() {
  std::vector<ServiceId> services;
  for (const auto& [service, process] : running_) services.push_back(service);
  for (const auto& [service, how] : ended_) services.push_back(service);
  co_return services;
}

namespace {

class FakeSnapshot final : public DataSnapshot {
 public:
  FakeSnapshot(std::string data, std::function<void()> on_pack)
      : data_(std::move(data)), on_pack_(std::move(on_pack)) {}
  Result<wire::DataArchiveInfo> pack(const std::string& archive,
                                     const wire::DataPulse& pulse) override {
    if (on_pack_) on_pack_();
    TRY(pulse());
    TRY(base::os::replace_file(archive, data_, 0600, base::os::Durability::Cached));
    wire::DataArchiveInfo info;
    info.archive_bytes = info.totals.bytes = data_.size();
    info.sha256 = base::sha256_hex(data_);
    info.totals.files = 1;
    return info;
  }
  std::chrono::microseconds paused() const override { return std::chrono::microseconds(7); }

 private:
  std::string data_;
  std::function<void()> on_pack_;
};

}  // namespace

Result<std::unique_ptr<DataSnapshot>> FakeVolumes::snapshot(const base::AccountId& account,
                                                            const SnapshotOptions& options) {
  if (error_) return std::unexpected(*error_);
  longest_pause_ = options.longest_pause;
  return std::make_unique<FakeSnapshot>(data_[account], on_pack_);
}

Result<void> FakeVolumes::replace(const base::AccountId& account, const std::string& archive,
                                  const std::string& sha256, const DiskOptions& /*options*/,
                                  const wire::DataPulse& pulse) {
  if (error_) return std::unexpected(*error_);
  TRY(pulse());
  TRY_ASSIGN(std::string bytes, base::os::read_file(archive, 1U << 20));
  if (base::sha256_hex(bytes) != sha256)
    return base::fail(Code::InvalidArgument, "another archive was meant");
  data_[account] = std::move(bytes);
  return {};
}

Result<base::os::Fd> FakeDoors::open(const ServiceId& service) {
  ASSERT(open_.insert(service).second);  // it was not open
  return base::os::open_file("/dev/null", O_RDONLY, 0);
}

bool FakeDoors::queued(const ServiceId& service, const base::os::Fd& door) {
  return waiting(service, door) != 0;
}

std::optional<std::uint32_t> FakeDoors::waiting(const ServiceId& service, const base::os::Fd&) {
  const auto found = queued_.find(service);
  return found == queued_.end() ? 0 : found->second;
}

void FakeDoors::close(const ServiceId& service, base::os::Fd) {
  open_.erase(service);
  lost_.erase(service);
  queued_.erase(service);
}

}  // namespace granary::agent
