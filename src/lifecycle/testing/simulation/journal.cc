#include "lifecycle/testing/simulation/journal.h"

#include <algorithm>
#include <charconv>

namespace granary::lifecycle::simulation {

const Call* Journal::find(const std::string& actor) const {
  if (!actor.starts_with("sim/")) return nullptr;
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(actor.data() + 4, actor.data() + actor.size(), number);
  const bool ours = parsed.ec == std::errc() && number > 0 && number <= calls_.size();
  return ours ? &calls_[number - 1] : nullptr;
}

std::size_t Register::begin(std::string value, std::uint64_t now) {
  writes_.push_back({.value = std::move(value), .began = now});
  return writes_.size() - 1;
}

void Register::end(std::size_t write, Call::Status status, std::uint64_t now) {
  writes_[write].status = status;
  writes_[write].ended = now;
}

// By a write that was acknowledged and began after that time.
bool Register::is_overwritten(std::uint64_t ended) const {
  return std::ranges::any_of(writes_, [&](const Write& write) {
    return write.status == Call::Status::Acknowledged && write.began > ended;
  });
}

bool Register::allows(const std::string& value, const std::string& initial) const {
  if (!known_ || (value == initial && !is_overwritten(0))) return true;
  return std::ranges::any_of(writes_, [&](const Write& write) {
    if (write.value != value || write.status == Call::Status::Refused) return false;
    return write.ended == 0 || !is_overwritten(write.ended);
  });
}

}  // namespace granary::lifecycle::simulation
