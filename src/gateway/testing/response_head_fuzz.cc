// What libFuzzer runs: the heads of answers. See fuzz_targets.h.
#include "gateway/testing/fuzz_targets.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)granary::gateway::testing::fuzz_response_head({data, size});
  return 0;
}
