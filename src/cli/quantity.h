// Sizes and shares of a core as people write them in a manifest and on the command line. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace granary::cli {

// "256Mi", "1Gi", "1500" (bytes). Errors: InvalidArgument.
base::Result<std::uint64_t> parse_size(std::string_view text);
// "0.5", "2": in thousandths of one core. Errors: InvalidArgument.
base::Result<std::uint32_t> parse_cpu(std::string_view text);
// The shortest that reads back as the same.
std::string print_size(std::uint64_t bytes);
std::string print_cpu(std::uint32_t thousandths);

}  // namespace granary::cli
