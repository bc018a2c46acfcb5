// ASSERT: a broken invariant is a bug and ends the process, in release builds too. Never used on
// input from outside: that gets an Error.
#pragma once

namespace granary::base {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace granary::base

#define ASSERT(expression)             \
  ((expression) ? static_cast<void>(0) \
                : ::granary::base::assertion_failed(#expression, __FILE__, __LINE__))
