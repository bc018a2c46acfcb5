// How a step begins children: where they come from, how many are at work at once, and when it
// stops. The decision is a pure function; the engine carries it out (engine_fan_out.cc). Values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "operation/operation.h"
#include "store/store.h"

namespace granary::operation {

struct Request {
  std::string kind;
  std::string subject;
  base::json::object input;
  std::string actor;
  std::string idempotency_key;  // empty: none. The same key again gives the first operation.
};

struct Child {
  Request request;  // without an idempotency key: its mark does the same
  // Runs in the transaction that records it; may be empty. Refusing with NotFound or Conflict says
  // that this child is not needed any more.
  store::Work also;
  // Its place in the order: FanOut::next() gives those after it. Not empty, unique in the parent.
  std::string mark;
};

struct FanOutRules {
  std::uint32_t window = 16;  // children that are open at once
  // More failures than either of them stop it: no more children are begun. Nothing: any number.
  std::optional<std::uint64_t> max_failures;
  std::optional<std::uint32_t> max_failures_percent;  // of Children::total; needs FanOut::count
};

struct FanOut {
  // By what was asked for; the same whenever it is called.
  std::function<FanOutRules(const Operation& parent)> rules;
  // The next children after the one with this mark (empty: from the first), at most `limit` of
  // them; none: there are no more. The order must not change, also not over a restart.
  std::function<base::Task<base::Result<std::vector<Child>>>(
      const Operation& parent, std::string after, std::uint32_t limit)>
      next;
  // How many there are in all; may be empty. Asked once.
  std::function<base::Task<base::Result<std::uint64_t>>(const Operation& parent)> count;
  // The result of the parent when all children have ended, also where some of them failed; may be
  // empty. `parent.children` has their numbers.
  std::function<base::json::object(const Operation& parent)> result;

  bool is_empty() const { return !next; }
};

// What a parent knows when it looks.
struct FanOutState {
  Children children;
  bool more = true;  // there are children that have not begun
  bool paused = false;
  bool cancelled = false;
};

enum class FanOutMove {
  Begin,     // the next child
  Wait,      // until a child ends, or somebody resumes it
  Conclude,  // all have ended
  Stop,      // the rules are broken, and no child is open any more
  Cancel,    // no child is open any more
};
FanOutMove next_move(const FanOutState& state, const FanOutRules& rules);
// Whether more failed than the rules allow.
bool is_stopped(const Children& children, const FanOutRules& rules);

}  // namespace granary::operation
