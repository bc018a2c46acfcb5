// A machine that is not there: silos, doors, control groups and disks as they behave, in memory.
// Single-threaded; for tests under base::testing::World.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "agent/cgroups.h"
#include "agent/doors.h"
#include "agent/silo_launcher.h"
#include "agent/volumes.h"
#include "base/event.h"

namespace granary::agent {

class FakeLauncher final : public SiloLauncher {
 public:
  explicit FakeLauncher(base::asio::any_io_executor executor)
      : executor_(std::move(executor)), released_(executor_) {}

  // --- what the test makes happen
  void hold_starts() { held_ = true; }
  void release_starts() {
    held_ = false;
    released_.notify_all();
  }
  void fail_starts(std::optional<base::Error> error) { start_error_ = std::move(error); }
  // On SiloSignal::Stop nothing happens; only a kill ends them.
  void ignore_stops() { ignore_stops_ = true; }
  void heed_stops() { ignore_stops_ = false; }
  void never_listens() { listens_ = false; }
  void listens_on(std::vector<std::uint16_t> ports) { ports_ = std::move(ports); }
  // A fault of ours in what is done for this account: each verb about it throws.
  void break_account(const std::string& account) { broken_.insert(base::AccountId(account)); }
  void mend_account(const std::string& account) { broken_.erase(base::AccountId(account)); }
  // The running silo ends by itself.
  void end(const base::ServiceId& service, SiloEnd end);

  // --- what the test asks
  int starts(const base::ServiceId& service) const;
  bool runs(const base::ServiceId& service) const { return running_.contains(service); }
  std::size_t running() const { return running_.size(); }
  std::size_t starting() const { return starting_; }
  int kills() const { return kills_; }
  const SiloPlan& last_plan() const { return plans_.back(); }
  // It has its share of the CPU, and no more.
  bool settled(const base::ServiceId& service) const { return settled_.contains(service); }

  std::string_view isolation() const override { return "full"; }
  base::Task<base::Result<std::unique_ptr<Silo>>> start(SiloPlan plan) override;
  base::Task<base::Result<AdoptedSilo>> adopt(base::ServiceId service) override;
  base::Task<SiloEnd> clean_up(base::ServiceId service) override;
  base::Task<base::Result<bool>> listens(base::ServiceId service) override;
  base::Task<std::vector<std::uint16_t>> listening_ports(base::ServiceId service) override;
  base::Task<base::Result<void>> settle(base::ServiceId service, wire::Limits limits) override;
  base::Task<std::vector<base::ServiceId>> leftovers() override;

 private:
  class FakeSilo;
  // Owned by this while it runs, and by its FakeSilo.
  struct Process {
    explicit Process(const base::asio::any_io_executor& executor) : changed(executor) {}
    base::Event changed;
    int pid = 0;
    bool ended = false;
    SiloEnd end;
    SiloPlan plan;
  };
  void signal(Process& process, SiloSignal signal);

  base::asio::any_io_executor executor_;
  base::Event released_;
  bool held_ = false;
  bool ignore_stops_ = false;
  bool listens_ = true;
  std::vector<std::uint16_t> ports_;
  std::set<base::AccountId> broken_;
  std::optional<base::Error> start_error_;
  // Owned by the fake and by its silos.
  std::map<base::ServiceId, std::shared_ptr<Process>> running_;
  std::map<base::ServiceId, SiloEnd> ended_;  // not cleaned up yet
  std::set<base::ServiceId> settled_;
  std::vector<SiloPlan> plans_;
  std::size_t starting_ = 0;
  int next_pid_ = 100;
  int kills_ = 0;
};

class FakeDoors final : public Doors {
 public:
  void queue(const base::ServiceId& service) { ++queued_[service]; }
  void accept_one(const base::ServiceId& service) { --queued_[service]; }
  void accept_all(const base::ServiceId& service) { queued_.erase(service); }
  // Its descriptors are closed with it.
  void agent_died() { open_.clear(); }
  bool is_open(const base::ServiceId& service) const { return open_.contains(service); }
  // Somebody removes its name below run/.
  void lose(const base::ServiceId& service) { lost_.insert(service); }

  base::Result<base::os::Fd> open(const base::ServiceId& service) override;
  bool is_found(const base::ServiceId& service) override { return !lost_.contains(service); }
  bool queued(const base::ServiceId& service, const base::os::Fd& door) override;
  std::optional<std::uint32_t> waiting(const base::ServiceId& service,
                                       const base::os::Fd& door) override;
  void close(const base::ServiceId& service, base::os::Fd door) override;

 private:
  std::set<base::ServiceId> open_;
  std::set<base::ServiceId> lost_;
  std::map<base::ServiceId, std::uint32_t> queued_;
};

class FakeCgroups final : public Cgroups {
 public:
  void set_memory(const base::ServiceId& service, std::uint64_t bytes) { memory_[service] = bytes; }
  void refuse_process(const base::ServiceId& service) { ++refused_[service]; }
  void use_cpu(const std::string& account, std::chrono::milliseconds time) {
    cpu_[base::AccountId(account)] += time;
  }
  // As when its last silo ends and another starts.
  void make_anew(const std::string& account) {
    cpu_.erase(base::AccountId(account));
    levels_.erase(base::AccountId(account));
  }
  CpuUse cpu_level(const std::string& account) { return levels_[base::AccountId(account)]; }

  base::Result<CgroupEntrance> make(const base::ServiceId&, const wire::Limits&) override {
    return CgroupEntrance{};
  }
  base::Result<void> set_cpu_limit(const base::ServiceId&, const wire::Limits&, CpuLimit) override {
    return {};
  }
  base::Result<CgroupUsage> usage(const base::ServiceId& service) override {
    CgroupUsage usage;
    usage.memory_bytes = memory_[service];
    usage.processes_refused = refused_[service];
    usage.processes_limit = 64;
    return usage;
  }
  base::Result<std::chrono::nanoseconds> cpu_time(const base::AccountId& account) override {
    ++cpu_looks;
    return cpu_[account];
  }
  base::Result<void> set_cpu_level(const base::AccountId& account, CpuUse use) override {
    levels_[account] = use;
    return {};
  }
  base::Result<void> put_before_accounts(int pid) override {
    before_accounts.insert(pid);
    return {};
  }
  base::Result<void> remove(const base::ServiceId&) override { return {}; }
  base::Result<std::vector<base::ServiceId>> list() override {
    return std::vector<base::ServiceId>();
  }

  int cpu_looks = 0;
  std::set<int> before_accounts;

 private:
  std::map<base::ServiceId, std::uint64_t> memory_;
  std::map<base::ServiceId, std::uint64_t> refused_;
  std::map<base::AccountId, std::chrono::nanoseconds> cpu_;
  std::map<base::AccountId, CpuUse> levels_;
};

class FakeVolumes final : public Volumes {
 public:
  void fail_with(std::optional<base::Error> error) { error_ = std::move(error); }
  std::uint64_t size(const std::string& account) { return disks_[base::AccountId(account)]; }

  base::Result<void> make(const base::AccountId& account, const DiskOptions& options) override {
    if (on_make_) on_make_();
    if (error_) return std::unexpected(*error_);
    disks_[account] = std::max(disks_[account], options.bytes);
    return {};
  }
  base::Result<DiskUse> use(const base::AccountId& account) override {
    const auto disk = disks_.find(account);
    if (disk == disks_.end()) return base::fail(base::Code::NotFound, "no disk");
    return DiskUse{.used_bytes = 4096, .quota_bytes = disk->second};
  }
  // Something on the machine deletes it, or the end of it.
  void lose(const std::string& account) { disks_.erase(base::AccountId(account)); }
  void cut(const std::string& account, std::uint64_t bytes) {
    disks_[base::AccountId(account)] = bytes;
  }
  base::Result<AttachedDisk> attach(const base::AccountId&) override { return AttachedDisk{}; }
  // An archive is here the data itself.
  base::Result<std::unique_ptr<DataSnapshot>> snapshot(const base::AccountId& account,
                                                       const SnapshotOptions& options) override;
  base::Result<void> replace(const base::AccountId& account, const std::string& archive,
                             const std::string& sha256, const DiskOptions& options,
                             const wire::DataPulse& pulse) override;
  base::Result<void> recover(const base::AccountId& account) override {
    recovered_.insert(account);
    return {};
  }

  std::string& data(const std::string& account) { return data_[base::AccountId(account)]; }
  bool recovered(const std::string& account) {
    return recovered_.contains(base::AccountId(account));
  }
  base::Result<HostRoom> guard(const std::vector<RunningDisk>& disks) override {
    guarded_ = disks;
    return room_;
  }
  void set_room(HostRoom room) { room_ = std::move(room); }
  // Those of the last look.
  std::size_t guarded() const { return guarded_.size(); }
  std::chrono::milliseconds longest_pause() const { return longest_pause_; }
  // Called when a disk is made or grows.
  void on_make(std::function<void()> then) { on_make_ = std::move(then); }
  // Called amid the packing of a snapshot.
  void on_pack(std::function<void()> then) { on_pack_ = std::move(then); }

 private:
  std::optional<base::Error> error_;
  std::map<base::AccountId, std::string> data_;
  std::set<base::AccountId> recovered_;
  std::chrono::milliseconds longest_pause_{0};
  HostRoom room_;
  std::vector<RunningDisk> guarded_;
  std::function<void()> on_make_;
  std::function<void()> on_pack_;
  std::map<base::AccountId, std::uint64_t> disks_;
};

}  // namespace granary::agent
