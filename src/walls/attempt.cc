#include "walls/attempt.h"

#include <vector>

namespace granary::walls {
namespace {

using Table = std::span<const Attempt> (*)();

constexpr Table kTables[] = {
    account_attempts,     path_attempts,   write_attempts,  host_attempts,  device_attempts,
    process_attempts,     init_attempts,   socket_attempts, door_attempts,  netlink_attempts,
    namespace_attempts,   mount_attempts,  kernel_attempts, limit_attempts, identity_attempts,
    information_attempts, shared_attempts,
};

std::vector<Attempt> collect() {
  std::vector<Attempt> all;
  for (const Table table : kTables) {
    for (const Attempt& attempt : table()) all.push_back(attempt);
  }
  return all;
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::Held:
      return "held";
    case Outcome::Broken:
      return "broken";
    case Outcome::Inapplicable:
      return "inapplicable";
  }
  return "";
}

std::span<const Attempt> all_attempts() {
  static const std::vector<Attempt> all = collect();
  return all;
}

const Attempt* find_attempt(std::string_view name) {
  for (const Attempt& attempt : all_attempts()) {
    if (attempt.name == name) return &attempt;
  }
  return nullptr;
}

}  // namespace granary::walls
