// Entry points for fuzzing what reads bytes from silos; connect_head_fuzz.cc is the libFuzzer
// program around it, and the unit tests feed it damaged samples. It asserts what must hold whatever
// the bytes are.
#pragma once

#include <cstdint>
#include <span>

namespace granary::egress::testing {

enum class Verdict { Taken, Refused, More };

// What was decided of the first bytes is not changed by more of them; a target is visible ASCII,
// and one that is a name has one spelling.
Verdict fuzz_connect_head(std::span<const std::uint8_t> bytes);

}  // namespace granary::egress::testing
