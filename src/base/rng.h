// Randomness, as an interface: seeded in tests and simulation, the kernel's in production.
#pragma once

#include <cstdint>
#include <span>

namespace granary::base {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual std::uint64_t next() = 0;  // uniform over all 64-bit values
  // Uniform in [0, bound); 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound);
  // Uniform in [0, 1).
  double unit();
  void fill(std::span<std::uint8_t> bytes);
};

}  // namespace granary::base
