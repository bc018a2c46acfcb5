#include "base/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace granary::base {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "granary: bug: %s does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

void invariant_broken(const char* expression, const char* file, int line) {
  // From src/ on: the rest is a path of the machine that built it.
  std::string_view place(file);
  if (const std::size_t src = place.rfind("/src/"); src != std::string_view::npos)
    place.remove_prefix(src + 1);
  throw BrokenInvariant(std::string(expression) + " does not hold at " + std::string(place) + ":" +
                        std::to_string(line));
}

}  // namespace granary::base
