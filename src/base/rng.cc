#include "base/rng.h"

namespace granary::base {

std::uint64_t Rng::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  // Rejection keeps it uniform: values under 2^64 mod bound are drawn again.
  const std::uint64_t threshold = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = next();
    if (value >= threshold) return value % bound;
  }
}

double Rng::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

void Rng::fill(std::span<std::uint8_t> bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t value = next();
    for (int i = 0; i < 8 && at < bytes.size(); ++i, value >>= 8)
      bytes[at++] = static_cast<std::uint8_t>(value);
  }
}

}  // namespace granary::base
