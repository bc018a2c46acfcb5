// Entry points for fuzzing what reads bytes from outside. A libFuzzer program is one line:
//   extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
//     (void)fuzz_manifest({data, size}); return 0; }
// The unit tests feed them damaged samples. They assert what must hold whatever the bytes are.
#pragma once

#include <cstdint>
#include <span>

namespace granary::release::testing {

enum class Verdict { Taken, Refused };

// Refusals name the file, a line and a column; what is taken survives its own JSON.
Verdict fuzz_manifest(std::span<const std::uint8_t> bytes);

}  // namespace granary::release::testing
