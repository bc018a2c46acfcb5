// A cloud in memory, with virtual time and seeded faults: calls take time, some fail, some are
// carried out and their answer is lost. It outlives the control plane under test, as a real cloud
// would. Lives on the world's one executor.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "base/timer.h"
#include "cloud/driver.h"

namespace granary::cloud::sim {

struct Faults {
  double refuse = 0;                      // of calls that fail before anything is done
  double lose_answer = 0;                 // of calls that are carried out but answer Unavailable
  std::chrono::milliseconds shortest{1};  // a call's duration is uniform between these two
  std::chrono::milliseconds longest{50};
  std::size_t max_accounts = 100'000;  // the cloud's quota
};

class SimCloud final : public Driver {
 public:
  SimCloud(base::Timer& timer, base::Rng& rng, Faults faults)
      : timer_(timer), rng_(rng), faults_(faults) {}

  base::Task<base::Result<void>> prepare_release(std::string release_hash) override;
  base::Task<base::Result<void>> forget_release(std::string release_hash) override;
  bool is_prepared(const std::string& release_hash) const {
    return prepared_.contains(release_hash);
  }
  base::Task<base::Result<Actual>> converge(Desired desired) override;
  base::Task<base::Result<void>> destroy(base::AccountId account) override;
  base::Task<base::Result<DataExport>> export_data(base::AccountId account,
                                                   std::string transfer) override;
  base::Task<base::Result<void>> import_data(base::AccountId account, std::string transfer,
                                             std::string sha256) override;
  base::Task<base::Result<Actual>> describe(base::AccountId account) override;
  base::Task<base::Result<Page>> list(std::string after, std::uint32_t limit) override;
  base::Task<base::Result<LogChunk>> read_log(base::ServiceId service,
                                              std::uint64_t cursor) override;

  // What a test looks at, and how it interferes.
  const std::map<base::AccountId, Desired>& accounts() const { return accounts_; }
  // What an account's app has written, and what lies in a transfer: both any bytes.
  std::map<base::AccountId, std::string>& data() { return data_; }
  std::map<std::string, std::string>& transfers() { return transfers_; }
  // What of an account's data no export can hold.
  std::map<base::AccountId, base::LeftOut>& left_out() { return left_out_; }
  // Exports fail for want of room, until there is some.
  void fill_up() { full_ = true; }
  void make_room() { full_ = false; }
  std::uint64_t calls() const { return calls_; }
  void set_faults(Faults faults) { faults_ = faults; }
  // The account is as it was one change ago: what restoring an old disk does.
  void set_back(const base::AccountId& account) { --accounts_.at(account).version; }
  // Its disk is gone, until data is imported or it is destroyed.
  void lose_disk(const base::AccountId& account) {
    problems_[account] = "its disk is gone";
    data_.erase(account);
  }
  // Somebody brings it back.
  void mend(const base::AccountId& account, std::string data) {
    problems_.erase(account);
    data_[account] = std::move(data);
  }
  // Its data is there, but nobody knows what it is to be, until it is converged.
  void forget_state(const base::AccountId& account) {
    accounts_.at(account).version = 0;
    problems_[account] = "its state cannot be read";
  }
  // The service of every account with this release does not start.
  void break_release(const std::string& release_hash) {
    tell_failure(release_hash, "the simulated program does not start");
  }
  // As what the services say of it.
  void tell_failure(const std::string& release_hash, const std::string& failure) {
    broken_[release_hash] = failure;
  }
  // No account is brought to this release: its command is none that the cloud can run.
  void refuse_release(const std::string& release_hash) { refused_.insert(release_hash); }
  void accept_release(const std::string& release_hash) { refused_.erase(release_hash); }

 private:
  base::Task<base::Result<void>> enter(std::string_view verb);
  base::Result<void> leave(std::string_view verb);
  Actual actual_of(const Desired& desired) const;

  base::Timer& timer_;
  base::Rng& rng_;
  Faults faults_;
  std::map<base::AccountId, Desired> accounts_;
  std::map<base::AccountId, std::string> data_;  // of accounts that exist
  std::map<std::string, std::string> transfers_;
  std::map<base::AccountId, base::LeftOut> left_out_;
  bool full_ = false;
  std::map<base::AccountId, std::string> problems_;
  std::set<std::string> prepared_;
  std::map<std::string, std::string> broken_;  // releases, with what is told of them
  std::set<std::string> refused_;
  std::uint64_t calls_ = 0;
};

}  // namespace granary::cloud::sim
