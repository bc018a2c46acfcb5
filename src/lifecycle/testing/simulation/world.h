// A simulated world: a cloud, a disk, a gateway and a control plane that is killed and started
// again, in virtual time, with faults drawn from the seed. Customers act in it (customers.h);
// invariants.h says what must hold. Single-threaded.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/task_group.h"
#include "lifecycle/testing/simulation/apps.h"
#include "lifecycle/testing/simulation/control.h"
#include "lifecycle/testing/simulation/disk.h"
#include "lifecycle/testing/simulation/journal.h"
#include "lifecycle/testing/simulation/options.h"
#include "lifecycle/testing/simulation/trace.h"

namespace granary::lifecycle::simulation {

struct Stats {
  std::uint64_t requests = 0;
  std::uint64_t operations = 0;  // that ended
  std::uint64_t lives = 0;       // of the control plane
  std::uint64_t crashes_at_writes = 0;
  std::uint64_t crashes_at_calls = 0;
  std::uint64_t crashes_at_any_time = 0;
  std::uint64_t store_faults = 0;
  std::uint64_t lost_answers = 0;
  std::uint64_t full_disks = 0;
  std::uint64_t clock_jumps = 0;
  std::uint64_t reboots = 0;
  std::uint64_t replaced = 0;        // by another control, while they lived
  std::uint64_t elsewhere = 0;       // lives at a place where they had to wait for the lease
  std::uint64_t paused = 0;          // operations
  std::uint64_t kept = 0;            // destructions that were to wait, and did
  std::uint64_t repeated_calls = 0;  // carried out twice, or once more later
  std::uint64_t hung_calls = 0;
  std::uint64_t checks = 0;  // of all invariants
  std::chrono::nanoseconds time{0};
  void add(const Stats& other);
  bool operator==(const Stats&) const = default;
};

// The releases that customers choose from: their ids, and hashes by id.
struct ReleaseName {
  const char* id;
  const char* hash;
  const char* manifest;
};
extern const std::array<ReleaseName, 3> kReleases;

class World final {
 public:
  explicit World(Options options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The control plane that answers now, shared with calls that are inside; null while none does.
  std::shared_ptr<Control> control() const { return ready_ ? control_ : nullptr; }
  // Kills the control plane; another one starts soon.
  void crash(const std::string& why);
  // Another control takes the place of this one, which goes on.
  void replace();
  // What this request asks to be kept must be there for so long, whatever the clock does.
  void keep(Call& call, std::chrono::milliseconds length);
  // Whether the clock of the machine is as far as time truly is.
  bool clock_is_right() const { return clock_error_.count() == 0; }
  // From now on nothing fails any more. What is broken stays to be taken up.
  void calm();

  // The fates of single writes and calls to the cloud, counted from arm() on; for crashing at
  // every boundary in turn. Chance decides nothing then.
  struct Arms {
    std::map<std::uint64_t, store::testing::Fate> writes;
    std::set<std::uint64_t> calls;  // control dies when it makes them
  };
  void arm(Arms arms);
  std::uint64_t writes() const { return writes_; }
  std::uint64_t calls() const { return calls_; }

  // Time passes until `done`, or nothing can happen any more, or `limit` is over, or something is
  // wrong. Gives done().
  bool run_until(const std::function<bool()>& done, std::chrono::nanoseconds limit);
  base::Task<void> pause(std::chrono::milliseconds time);
  bool spawn(base::Task<void> task) { return tasks_.spawn("task of the world", std::move(task)); }

  // What is wrong: the first thing that is; empty: nothing.
  void fail(std::string what);
  const std::string& failure() const { return failure_; }
  const base::SealingKey& sealing_key() const { return *sealing_key_; }

  Options options;
  base::testing::World base;
  base::testing::SeededRng dice;  // of faults, apart from the customers' choices
  Trace trace{base.clock};
  Stats stats;
  Journal journal;
  Disk disk;
  cloud::sim::SimCloud cloud;
  cloud::sim::Link link;
  testing::FakeProber prober{cloud};
  testing::FakeArchives archives{cloud};
  testing::FakeDomains domains;
  Apps apps{cloud};
  // What the gateways were told last: the states of tenants. In small worlds alone.
  std::map<std::string, std::string> published;
  std::set<std::string> archives_removed;  // that somebody asked for, or that expired
  std::uint32_t customers = 0;             // that act
  std::uint32_t requests_left = 0;         // of all of them together
  // Changes of accounts that were asked of the cloud and not answered yet, of this control plane.
  std::map<base::AccountId, std::string> changing;
  // Operations that ended, with what their rows said then.
  std::map<base::OperationId, operation::State> ended;
  std::map<std::uint32_t, std::string> ordinals;  // whose each was when it was first seen
  std::int64_t audit_entries = 0;                 // at the last check

 private:
  store::testing::Fate fate_of_write();
  store::testing::Fate fate_of_read();
  store::testing::Fate draw_fate();
  cloud::sim::LinkEnd::Watch watch();
  void call_began(std::string_view verb, const base::AccountId& account);
  void watch_destroy(const base::AccountId& account);
  void watch_removal(const std::string& archive);
  void must_have_been_kept(const std::string& what, const std::string& actor);
  void watch_converge(const cloud::Desired& desired);
  void watch_operation(const operation::Operation& operation);
  base::Task<void> live(std::chrono::milliseconds delay);
  base::Task<void> bury(std::shared_ptr<Control> dead);
  base::Task<void> bury_later(std::shared_ptr<Control> replaced);
  base::Task<void> kill_now_and_then();
  base::Task<void> fill_disk_now_and_then();
  base::Task<void> set_clock_now_and_then();
  base::Task<void> reboot_now_and_then();
  base::Task<void> replace_now_and_then();
  base::Task<base::Result<void>> take_lease(std::shared_ptr<Control> control);
  base::Task<void> keep_time(std::shared_ptr<Control> control);
  void end_life(const std::string& why, std::chrono::milliseconds off);
  void set_clock(std::chrono::milliseconds by);
  std::chrono::milliseconds about(std::chrono::milliseconds average);
  bool chance(double of) { return of > 0 && dice.unit() < of; }
  void add_releases();
  void publish();

  std::unique_ptr<base::SigningKey> signing_key_;
  std::unique_ptr<base::SealingKey> sealing_key_;
  base::TaskGroup tasks_;
  // The one that lives, from its first instruction; shared with calls that are inside.
  std::shared_ptr<Control> control_;
  bool ready_ = false;  // it answers
  // Those that were replaced, and go on; shared with calls that are inside.
  std::vector<std::shared_ptr<Control>> replaced_;
  std::uint64_t place_ = 1;                   // where the control runs that begins next
  std::uint64_t boots_ = 1;                   // of the machine
  std::chrono::milliseconds clock_error_{0};  // as often as it was set
  std::vector<base::BootTime> reboots_;       // when the machine was started again
  // The offboarding of a tenant that was seen last.
  std::map<base::AccountId, operation::Operation> offboardings_;
  bool calm_ = false;
  bool disk_full_ = false;
  std::optional<Arms> arms_;
  std::map<base::AccountId, cloud::Desired> converged_;  // as it was last asked for
  std::uint64_t writes_ = 0;
  std::uint64_t calls_ = 0;
  std::string failure_;
};

}  // namespace granary::lifecycle::simulation
