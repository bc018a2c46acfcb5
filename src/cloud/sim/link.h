// The way between a control plane and the simulated cloud, with what goes wrong on it: calls that
// are carried out twice, or once more much later, or that hang until their deadline and may be
// carried out all the same. The link outlives control; each control has an end of its own, which
// is cut when control dies, while what was sent goes on. Calls on one account are carried out one
// after another in the order they were made, as the agent does it; only late repetitions come out
// of order. Lives on the world's one executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/event.h"
#include "base/rng.h"
#include "base/task_group.h"
#include "base/timer.h"
#include "cloud/sim/sim_cloud.h"

namespace granary::cloud::sim {

struct LinkFaults {
  double twice = 0;  // of calls that are carried out twice at once
  double late = 0;   // of calls that are carried out once more within `latest`
  double hang = 0;   // of calls whose answer does not come
  std::chrono::milliseconds deadline{30'000};
  std::chrono::milliseconds latest{3'600'000};
};

class Link final {
 public:
  struct Counts {
    std::uint64_t twice = 0;
    std::uint64_t late = 0;
    std::uint64_t hung = 0;
  };
  // References must outlive it.
  Link(base::asio::any_io_executor executor, SimCloud& cloud, base::Timer& timer, base::Rng& rng);
  // Ends what is under way, carried out or not.
  base::Task<void> close();

  void set_faults(LinkFaults faults) { faults_ = faults; }
  const Counts& counts() const { return counts_; }
  SimCloud& cloud() { return cloud_; }

  // What became of a call: set once, by whoever is first.
  template <class T>
  struct Pending {
    explicit Pending(const base::asio::any_io_executor& executor) : known(executor) {}
    std::optional<base::Result<T>> answer;
    base::Event known;
    void set(base::Result<T> result) {
      if (!answer) answer = std::move(result);
      known.notify_all();
    }
  };
  // Whether a repetition long after the call would still be understood as of its time.
  enum class Repeatable { Never, Later };
  enum class When { Now, Later };
  template <class T>
  using Work = std::function<base::Task<base::Result<T>>(When when)>;
  template <class T>
  base::Task<base::Result<T>> call(base::AccountId account, Repeatable repeatable, Work<T> work);

 private:
  enum class Fate { Once, Twice, Late, Hang };
  // Whose turn it is on one account.
  struct Lane {
    std::uint64_t next = 0;
    std::uint64_t served = 0;
  };

  Fate draw(Repeatable repeatable);
  base::Task<bool> take_turn(base::AccountId account);
  void end_turn(const base::AccountId& account);
  std::chrono::milliseconds within(std::chrono::milliseconds longest);
  // `pending` is owned by the caller's coroutine and by these.
  template <class T>
  base::Task<void> carry_out(base::AccountId account, Fate fate, Work<T> work,
                             std::shared_ptr<Pending<T>> pending);
  template <class T>
  base::Task<void> give_up(std::shared_ptr<Pending<T>> pending);

  base::asio::any_io_executor executor_;
  SimCloud& cloud_;
  base::Timer& timer_;
  base::Rng& rng_;
  LinkFaults faults_;
  Counts counts_;
  std::map<base::AccountId, Lane> lanes_;  // progress: a turn that ends notifies turned_
  base::Event turned_;
  base::TaskGroup tasks_;
};

// One control plane's end of the link.
class LinkEnd final : public Driver {
 public:
  // Told of each call that changes an account, when it is made and when it has its answer.
  struct Watch {
    std::function<void(std::string_view verb, const base::AccountId& account)> began;
    std::function<void(std::string_view verb, const base::AccountId& account)> ended;
    std::function<void(const Desired& desired)> converging;
  };
  LinkEnd(Link& link, Watch watch) : link_(link), watch_(std::move(watch)) {}
  // No call of this control reaches the cloud any more.
  void cut() { cut_ = true; }

  base::Task<base::Result<void>> prepare_release(std::string release_hash) override;
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

 private:
  template <class T>
  base::Task<base::Result<T>> change(std::string_view verb, base::AccountId account,
                                     Link::Repeatable repeatable, Link::Work<T> work);

  Link& link_;
  Watch watch_;
  bool cut_ = false;
};

}  // namespace granary::cloud::sim
