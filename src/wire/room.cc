#include "wire/room.h"

#include <fmt/format.h>

namespace granary::wire {

std::optional<std::string> low_room(const std::string& data_dir, std::uint64_t free_bytes) {
  if (free_bytes >= kLowRoom) return std::nullopt;
  return fmt::format("the disk of {} is almost full: {} MiB are free, less than {}", data_dir,
                     free_bytes >> 20, kLowRoom >> 20);
}

}  // namespace granary::wire
