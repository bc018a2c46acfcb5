#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace granary::base {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "granary: bug: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace granary::base
