#include "operation/operation.h"

#include <algorithm>
#include <array>

namespace granary::operation {
namespace {

struct Name {
  State state;
  std::string_view text;
};
constexpr std::array kNames = {
    Name{State::Queued, "queued"},   Name{State::Running, "running"},
    Name{State::Waiting, "waiting"}, Name{State::Succeeded, "succeeded"},
    Name{State::Failed, "failed"},   Name{State::Cancelled, "cancelled"},
};

}  // namespace

std::string_view to_string(State state) {
  for (const Name& name : kNames) {
    if (name.state == state) return name.text;
  }
  return "queued";
}

base::Result<State> state_from(std::string_view name) {
  for (const Name& known : kNames) {
    if (known.text == name) return known.state;
  }
  return base::fail(base::Code::InvalidArgument, "'{}' is no state of an operation", name);
}

bool is_final(State state) {
  switch (state) {
    case State::Queued:
    case State::Running:
    case State::Waiting:
      return false;
    case State::Succeeded:
    case State::Failed:
    case State::Cancelled:
      return true;
  }
  return false;
}

std::uint64_t count_open(const Children& children) {
  const std::uint64_t ended = children.succeeded + children.failed + children.cancelled;
  return children.begun > ended ? children.begun - ended : 0;
}

std::string to_text(const Children& children) {
  const std::uint64_t known = children.total.value_or(children.begun + children.skipped);
  std::string text = fmt::format("{} of {} succeeded", children.succeeded,
                                 std::max(known, children.begun + children.skipped));
  if (children.failed > 0) text += fmt::format(", {} failed", children.failed);
  if (children.cancelled > 0) text += fmt::format(", {} cancelled", children.cancelled);
  if (children.skipped > 0) text += fmt::format(", {} not needed", children.skipped);
  if (count_open(children) > 0) text += fmt::format(", {} at work", count_open(children));
  return text;
}

}  // namespace granary::operation
