// Two ways to state what must hold, both kept in release builds, neither used on input from
// outside (that gets an Error):
//   ASSERT     about the process as a whole: when it does not hold, the process ends.
//   INVARIANT  about one tenant, one request or one piece of work: when it does not hold, a
//              BrokenInvariant is thrown, which ends that work alone (base/contained.h).
#pragma once

#include <stdexcept>

namespace granary::base {

// A bug, found by INVARIANT. what() names the expression and its place in the source.
class BrokenInvariant final : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
[[noreturn]] void invariant_broken(const char* expression, const char* file, int line);

}  // namespace granary::base

#define ASSERT(expression)             \
  ((expression) ? static_cast<void>(0) \
                : ::granary::base::assertion_failed(#expression, __FILE__, __LINE__))

#define INVARIANT(expression)          \
  ((expression) ? static_cast<void>(0) \
                : ::granary::base::invariant_broken(#expression, __FILE__, __LINE__))
