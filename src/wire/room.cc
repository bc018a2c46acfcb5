#include "wire/room.h"

#include <fmt/format.h>

#include <algorithm>

namespace granary::wire {

Watermarks watermarks_of(std::uint64_t total_bytes) {
  const std::uint64_t low = std::min(std::max(kLeastWatermark, total_bytes / kWatermarkOfLarge),
                                     total_bytes / kWatermarkOfSmall);
  return {.low = low, .high = 2 * low};
}

std::optional<std::string> low_room(const std::string& data_dir, std::uint64_t free_bytes,
                                    std::uint64_t total_bytes) {
  const Watermarks marks = watermarks_of(total_bytes);
  if (free_bytes < marks.high)
    return fmt::format(
        "the disk of {} is almost full: {} MiB are free; tenants can read, but get 'no space left' "
        "for writes that need more space until {} MiB are free",
        data_dir, free_bytes >> 20, marks.high >> 20);
  if (free_bytes >= kLowRoom) return std::nullopt;
  return fmt::format("the disk of {} is almost full: {} MiB are free, less than {}", data_dir,
                     free_bytes >> 20, kLowRoom >> 20);
}

}  // namespace granary::wire
