// Durable operations: what they are and how they are stored. The engine that runs them is in
// engine.h. Value types.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"

namespace granary::operation {

// Queued -> Running -> Succeeded | Failed | Cancelled; Running -> Waiting (a retry is due later)
// -> Running. The last three are final.
enum class State { Queued, Running, Waiting, Succeeded, Failed, Cancelled };
std::string_view to_string(State state);
base::Result<State> state_from(std::string_view name);
bool is_final(State state);

// The children of a parent, as they are counted in the transactions that begin and end them.
struct Children {
  std::optional<std::uint64_t> total;  // as far as its kind can say
  std::uint64_t begun = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t skipped = 0;   // not needed when their turn came; not among those that were begun
  std::uint64_t forgiven = 0;  // of the failed ones: from before a retry of the parent
  bool operator==(const Children&) const = default;
};
std::uint64_t count_open(const Children& children);
// "12 of 40 succeeded, 1 failed, 3 at work", for people.
std::string to_text(const Children& children);

struct Operation {
  base::OperationId id;
  std::string kind;     // "tenant.create"
  std::string subject;  // "tenant/acme": at most one operation of a subject runs at a time
  State state = State::Queued;
  std::string step;            // the step that runs next, or ran last
  std::uint32_t attempts = 0;  // of this step
  base::json::object input;    // given at submission, never changed
  base::json::object scratch;  // what steps leave for later steps of the same operation
  std::optional<base::json::object> result;    // what it has made so far, for whoever asked for it
  std::optional<base::OperationId> follow_up;  // another one that it has started
  std::optional<base::Error> error;            // of the last failed attempt
  std::string actor;
  base::WallTime created;
  base::WallTime updated;
  std::optional<base::WallTime> next_attempt;
  std::optional<base::WallTime> paused;        // since when it begins nothing
  std::optional<base::WallTime> cancel_asked;  // of a parent: it ends when its children have
  std::optional<base::OperationId> parent;
  Children children;
};

// One line of its history, for people.
struct StepRecord {
  std::string step;
  std::uint32_t attempt = 0;
  base::WallTime started;
  std::optional<base::WallTime> ended;
  std::string outcome;  // running, done, again, retry, interrupted, succeeded, failed, cancelled
  std::string detail;
};

}  // namespace granary::operation
