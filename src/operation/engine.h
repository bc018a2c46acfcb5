// Runs durable operations step by step. A step does its work outside any transaction (it must be
// idempotent: it may run again after a crash), then its outcome, what it wants written and the
// next step are committed together. Recovers from the store alone. Lives on control's executor.
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
#include "operation/limits.h"
#include "operation/operation.h"
#include "store/store.h"

namespace granary::operation {

// What a step leaves behind: `commit` (may be empty) runs in the transaction that records the
// step as done; `scratch` members are merged into the operation's.
struct Outcome {
  store::Work commit;
  base::json::object scratch;
  std::string detail;  // one line for the history
  // The next step starts no earlier; how an operation waits for days without holding anything.
  std::optional<base::WallTime> not_before;
};

using StepFunction = std::function<base::Task<base::Result<Outcome>>(const Operation&)>;

struct Step {
  std::string name;
  StepFunction run;
};

struct Kind {
  std::string name;
  std::vector<Step> steps;  // in order
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
};

struct Request {
  std::string kind;
  std::string subject;
  base::json::object input;
  std::string actor;
  std::string idempotency_key;  // empty: none. The same key again gives the first operation.
};

class Engine final {
 public:
  // References must outlive the engine.
  Engine(base::asio::any_io_executor executor, store::Store& store, const base::Clock& clock,
         base::Timer& timer, base::Rng& rng);
  ~Engine();  // asserts that close() has completed

  // Before add_kind() of the kinds that share it: at most `places` of their operations run at once.
  void add_limit(std::string name, std::uint32_t places);
  // Before recover().
  void add_kind(Kind kind);
  // Takes up all operations that are not final. Call once.
  base::Task<base::Result<void>> recover();

  // Records the operation and whatever `also` writes in one transaction, then starts it. `also`
  // may refuse: nothing is recorded then. Where the store failed and cannot say whether it has
  // recorded it, its error is returned, and an operation that turns out to be there is started.
  base::Task<base::Result<Operation>> submit(Request request, store::Work also = {});
  base::Task<base::Result<Operation>> find(base::OperationId id);
  // What was recorded under this key: for submitters that must look at something before submit(),
  // and would refuse what they have done already. Empty key: nothing.
  base::Task<base::Result<std::optional<Operation>>> find_by_key(std::string idempotency_key);
  struct Filter {
    std::string subject;  // empty: all
    std::string kind;     // empty: all
    std::optional<State> state;
    std::string after;  // id; newest first
    std::uint32_t limit = 100;
  };
  base::Task<base::Result<std::vector<Operation>>> list(Filter filter);
  base::Task<base::Result<std::vector<StepRecord>>> history(base::OperationId id);
  // Resolves when the operation is final. Errors: NotFound, Cancelled (also by close()).
  base::Task<base::Result<Operation>> wait(base::OperationId id);
  // A failed operation from its failed step on. Errors: Conflict unless it failed, and while
  // another one of its subject is not final: it would run before that, although it comes later.
  base::Task<base::Result<Operation>> retry(base::OperationId id);
  // Ends it before its next step; at once when none is running, whatever it waits for. Errors:
  // Conflict when it is final, or past its kind's point of no return.
  base::Task<base::Result<Operation>> cancel(base::OperationId id);

  // The clock was moved: starts what waits for a time that has come by it.
  void take_up_due();

  // Called on the executor after every durable change of any operation.
  void on_change(std::function<void(const Operation&)> listener);
  base::Task<void> close();

 private:
  struct Live;  // an operation that is not final
  struct Limit {
    std::uint32_t places = 0;
    std::uint32_t running = 0;
  };
  // What a driven operation does next.
  enum class Next { Continue, Park, Finished };

  void admit(Operation operation);
  void start_ready();
  void make_ready(const std::string& subject);
  std::optional<base::OperationId> next_ready() const;
  void start(Live& live);
  void stop(Live& live);
  base::Task<void> drive(base::OperationId id);
  base::Task<Next> advance(base::OperationId id);
  base::Task<Next> run_step(Operation operation);
  base::Task<Next> succeed(Operation operation, Outcome outcome);
  base::Task<Next> record_failure(Operation operation, base::Error error);
  base::Task<Next> finish(Operation operation, State state);
  base::Task<void> wake_later(base::OperationId id, base::WallTime at);
  void unpark(Live& live);
  base::Task<base::Result<void>> record(const Operation& operation, store::Work work);
  base::Task<base::Result<Operation>> take_up(base::OperationId id, base::Error doubt);
  base::Task<void> take_up_later(base::OperationId id);
  void tell(const Operation& operation);
  void settle(const Operation& operation);
  void park(const Operation& operation);
  const Kind& kind_of(const Operation& operation) const;
  static std::size_t index_of(const Kind& kind, const std::string& step);

  base::asio::any_io_executor executor_;
  store::Store& store_;
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
  std::map<std::string, std::uint32_t> running_of_kind_;
  std::map<std::string, Limit> limits_;
  std::uint32_t running_ = 0;
  base::UlidSequence ids_;  // in order of submission, whatever the clock does
  std::function<void(const Operation&)> listener_;
  base::TaskGroup tasks_;
};

}  // namespace granary::operation
