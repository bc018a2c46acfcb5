// What libFuzzer runs: granary.yaml. See fuzz_targets.h.
#include "release/testing/fuzz_targets.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)granary::release::testing::fuzz_manifest({data, size});
  return 0;
}
