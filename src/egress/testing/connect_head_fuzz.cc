// What libFuzzer runs: the head of a CONNECT request. See fuzz_targets.h.
#include "egress/testing/fuzz_targets.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)granary::egress::testing::fuzz_connect_head({data, size});
  return 0;
}
