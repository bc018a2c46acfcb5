// What libFuzzer runs: data archives. See fuzz_targets.h.
#include "wire/testing/fuzz_targets.h"

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)granary::wire::testing::fuzz_data_archive({data, size});
  return 0;
}
