// What the program's end tells scripts, and the one mapping from errors to it. Pure.
#pragma once

#include "base/result.h"

namespace granary::cli {

enum class ExitCode {
  Done = 0,
  Failed = 1,  // it was tried and went wrong
  WrongUsage = 2,
  NoSuchThing = 3,
  Refused = 4,       // not allowed, not possible in this state, not supported
  NotReachable = 5,  // or out of time
};

ExitCode exit_code(base::Code code);

}  // namespace granary::cli
