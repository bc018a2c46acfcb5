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

struct Operation {
  base::OperationId id;
  std::string kind;     // "tenant.create"
  std::string subject;  // "tenant/acme": at most one operation of a subject runs at a time
  State state = State::Queued;
  std::string step;                  // the step that runs next, or ran last
  std::uint32_t attempts = 0;        // of this step
  base::json::object input;          // given at submission, never changed
  base::json::object scratch;        // what steps leave for later steps
  std::optional<base::Error> error;  // of the last failed attempt
  std::string actor;
  base::WallTime created;
  base::WallTime updated;
  std::optional<base::WallTime> next_attempt;
};

// One line of its history, for people.
struct StepRecord {
  std::string step;
  std::uint32_t attempt = 0;
  base::WallTime started;
  std::optional<base::WallTime> ended;
  std::string outcome;  // running, done, retry, failed
  std::string detail;
};

}  // namespace granary::operation
