#include "operation/operation.h"

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

}  // namespace granary::operation
