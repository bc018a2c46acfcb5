// Runs durable operations step by step. A step does its work outside any transaction (it must be
// idempotent: it may run again after a crash), then its outcome, what it wants written and the
// next step are committed together. Recovers from the store alone, and acts only while this process
// holds the lease on it. Lives on control's executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/clock.h"
#include "base/event.h"
#include "base/ids.h"
#include "base/rng.h"
#include "base/task_group.h"
#include "base/timer.h"
#include "operation/fan_out.h"
#include "operation/limits.h"
#include "operation/listeners.h"
#include "operation/operation.h"
#include "store/leased_store.h"

namespace granary::operation {

// What a step leaves behind: `commit` (may be empty) runs in the transaction that records it;
// `scratch` members are merged into the operation's. At most one of the two times.
struct Outcome {
  store::Work commit;
  base::json::object scratch;
  std::string detail;  // one line for the history
  // The next step starts no earlier; how an operation waits for days without holding anything.
  std::optional<base::WallTime> not_before;
  // The step is not done: it runs again at this time, soonest after kShortestAgain, and holds no
  // place until then. How it waits for something that it must look at, for as long as it takes.
  std::optional<base::WallTime> again_at = {};
  // Replace those of the operation; nothing: they stay.
  std::optional<base::json::object> result = {};
  std::optional<base::OperationId> follow_up = {};
};

using StepFunction = std::function<base::Task<base::Result<Outcome>>(const Operation&)>;

// Either a function, or children.
struct Step {
  std::string name;
  StepFunction run;
  FanOut fan_out = {};
};

// Who may retry, cancel, pause and resume operations of a kind: whoever may start one.
enum class KindRole { Undeclared, Deployer, Operator };

struct Kind {
  std::string name;
  std::vector<Step> steps;  // in order; at most one of them a fan-out
  // Runs in the transaction that ends a failed or cancelled operation; may be empty.
  // What it refuses is logged and left out: the operation ends all the same.
  std::function<base::Result<void>(store::Transaction&, const Operation&)> on_failure;
  // At most so many of this kind run at once.
  std::uint32_t concurrency = 16;
  // Also bounded together with other kinds, by a limit of this name (Engine::add_limit): one for
  // each outside API that they share. Empty: no such bound.
  std::string limit;
  // Failed attempts of one step that are transient are repeated so often.
  std::uint32_t max_attempts = 8;
  // From this step on it cannot be called off: what is done by then is not undone by stopping.
  // Empty: always.
  std::string no_way_back;
  KindRole role = KindRole::Undeclared;  // must be declared
};

class Engine final {
 public:
  // References must outlive the engine.
  Engine(base::asio::any_io_executor executor, store::LeasedStore& store, const base::Clock& clock,
         base::Timer& timer, base::Rng& rng);
  ~Engine();  // asserts that close() has completed

  // Before add_kind() of the kinds that share it: at most `places` of their operations run at once.
  void add_limit(std::string name, std::uint32_t places);
  // Before recover().
  void add_kind(Kind kind);
  // Errors: NotSupported, naming the kind, where this program does not know it.
  base::Result<KindRole> role_of(const std::string& kind) const;
  // Takes up all operations that are not final. Call once, when the lease is held.
  base::Task<base::Result<void>> recover();

  // Records the operation and whatever `also` writes in one transaction, then starts it. `also`
  // may refuse: nothing is recorded then. Errors: NotSupported (the kind). Where the store failed
  // and cannot say whether it has recorded it, its error is returned, and an operation that turns
  // out to be there is started.
  base::Task<base::Result<Operation>> submit(Request request, store::Work also = {});
  base::Task<base::Result<Operation>> find(base::OperationId id);
  // What was recorded under this key: for submitters that must look at something before submit(),
  // and would refuse what they have done already. Empty key: nothing.
  base::Task<base::Result<std::optional<Operation>>> find_by_key(std::string idempotency_key);
  struct Filter {
    std::string subject;  // empty: all
    std::string kind;     // empty: all
    std::optional<State> state;
    std::string parent = {};  // id; empty: all
    std::string after;        // id; newest first
    std::uint32_t limit = 100;
  };
  base::Task<base::Result<std::vector<Operation>>> list(Filter filter);
  base::Task<base::Result<std::vector<StepRecord>>> history(base::OperationId id);
  // Resolves when the operation is final. Errors: NotFound, Cancelled (also by close()).
  base::Task<base::Result<Operation>> wait(base::OperationId id);
  // A failed operation from its failed step on; a parent runs its failed children again, then goes
  // on. Errors: Conflict unless it failed, and while another one of its subject is not final: it
  // would run before that, although it comes later.
  base::Task<base::Result<Operation>> retry(base::OperationId id);
  // Ends it before its next step; at once when none is running, whatever it waits for. Of a parent
  // the children that have not begun are cancelled, and it ends when the others have. Errors:
  // Conflict when it is final, or past its kind's point of no return.
  base::Task<base::Result<Operation>> cancel(base::OperationId id);

  // From now on it begins no step and no child; what is at work ends. Those of its children that
  // are parents themselves begin none either. Asked for twice: success. Errors: Conflict when
  // final.
  base::Task<base::Result<Operation>> pause(base::OperationId id);
  base::Task<base::Result<Operation>> resume(base::OperationId id);

  // The clock was moved: starts what waits for a time that has come by it.
  void take_up_due();

  // Called on the executor after every durable change of any operation, for as long as what it
  // returns lives.
  [[nodiscard]] Listening on_change(Listener listener);
  base::Task<void> close();

 private:
  struct Live;  // an operation that is not final
  struct Limit {
    std::uint32_t places = 0;
    std::uint32_t running = 0;
  };
  // What a driven operation does next. Await: a child, or somebody who resumes it.
  enum class Next { Continue, Park, Await, Finished };

  void admit(Operation operation);
  void start_ready();
  void make_ready(const std::string& subject);
  std::optional<base::OperationId> next_ready() const;
  void start(Live& live);
  void stop(Live& live);
  base::Task<void> drive(base::OperationId id);
  base::Task<Next> advance(base::OperationId id);
  base::Task<Next> run_step(Operation operation);
  base::Task<bool> await_lease();
  base::Task<Next> succeed(Operation operation, Outcome outcome);
  base::Task<base::Result<void>> record_success(const Operation& operation, const Outcome& outcome);
  base::Task<Next> record_failure(Operation operation, base::Error error);
  base::Task<Next> finish(Operation operation, State state);
  base::Task<void> wake_later(base::OperationId id, base::WallTime at);
  void unpark(Live& live);
  bool is_held(const Live& live) const;

  // engine_fan_out.cc
  base::Task<Next> fan_out(base::OperationId id);
  base::Task<base::Result<FanOutState>> look_at_children(base::OperationId id, const FanOut& from);
  base::Task<base::Result<void>> count_children(base::OperationId id, const FanOut& from);
  base::Task<base::Result<void>> fetch_children(base::OperationId id, const FanOut& from);
  base::Task<base::Result<void>> fetch_failed_children(base::OperationId id);
  base::Task<base::Result<void>> begin_child(base::OperationId id);
  base::Task<base::Result<void>> skip_child(base::OperationId parent, std::string mark);
  base::Task<base::Result<void>> begin_new_child(base::OperationId parent, Child child);
  base::Task<base::Result<void>> begin_failed_child(base::OperationId parent,
                                                    base::OperationId child);
  base::Task<Next> conclude(base::OperationId id, const FanOut& from, FanOutMove move);
  Operation make_operation(const Request& request);
  void cancel_children(base::OperationId parent);
  void nudge(const base::OperationId& parent);
  base::Task<base::Result<Operation>> set_paused(base::OperationId id,
                                                 std::optional<base::WallTime> since);
  base::Task<base::Result<void>> ask_cancel(base::OperationId id);
  base::Task<base::Result<Operation>> requeue(base::OperationId id, store::Work also);
  void take_up_resumed();

  base::Task<base::Result<void>> record(const Operation& operation, store::Work work);
  base::Task<base::Result<Operation>> take_up(base::OperationId id, base::Error doubt);
  base::Task<void> take_up_later(base::OperationId id);
  void keep(const Operation& operation);
  void settle(const Operation& operation);
  void park(const Operation& operation, Next next);
  const Kind& kind_of(const Operation& operation) const;
  const Step* fan_out_step(const Operation& operation) const;
  static std::size_t index_of(const Kind& kind, const std::string& step);

  base::asio::any_io_executor executor_;
  store::LeasedStore& store_;
  const base::Clock& clock_;
  base::Timer& timer_;
  base::Rng& rng_;
  std::map<std::string, Kind> kinds_;
  std::map<base::OperationId, std::unique_ptr<Live>> live_;
  // By kind, those that may start as soon as there is a place: the first of their subject, neither
  // running nor waiting for a time. Progress: whenever one ends, parks or is admitted,
  // start_ready() runs.
  std::map<std::string, std::set<base::OperationId>> ready_;
  // Safety: only the first live operation of a subject may run a step; ids sort by time.
  std::map<std::string, std::set<base::OperationId>> of_subject_;
  // The live children of each live parent. Progress: when one of them settles, its parent is
  // nudged.
  std::map<base::OperationId, std::set<base::OperationId>> of_parent_;
  std::map<std::string, std::uint32_t> running_of_kind_;
  std::map<std::string, Limit> limits_;
  std::uint32_t running_ = 0;
  base::UlidSequence ids_;  // in order of submission, whatever the clock does
  Listeners listeners_;
  base::TaskGroup tasks_;
};

}  // namespace granary::operation
