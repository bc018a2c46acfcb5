#include "operation/fan_out.h"

namespace granary::operation {

bool is_stopped(const Children& children, const FanOutRules& rules) {
  const std::uint64_t failed =
      children.failed > children.forgiven ? children.failed - children.forgiven : 0;
  if (rules.max_failures && failed > *rules.max_failures) return true;
  if (!rules.max_failures_percent || !children.total) return false;
  return failed * 100 > *rules.max_failures_percent * *children.total;
}

FanOutMove next_move(const FanOutState& state, const FanOutRules& rules) {
  const std::uint64_t open = count_open(state.children);
  if (state.cancelled) return open == 0 ? FanOutMove::Cancel : FanOutMove::Wait;
  if (is_stopped(state.children, rules)) return open == 0 ? FanOutMove::Stop : FanOutMove::Wait;
  if (state.paused) return FanOutMove::Wait;
  if (!state.more) return open == 0 ? FanOutMove::Conclude : FanOutMove::Wait;
  return open < rules.window ? FanOutMove::Begin : FanOutMove::Wait;
}

}  // namespace granary::operation
