// What is known of time (base/trusted_clock.h), as the store keeps it: one row, so that a leap of
// the wall clock is noticed also when it came while control was away. Each function runs inside a
// transaction of the caller's.
#pragma once

#include <optional>

#include "base/trusted_clock.h"
#include "store/store.h"

namespace granary::registry {

base::Result<void> put_trusted_time(store::Transaction& tx, const base::TrustedTime& known);
// Nothing: none was kept yet. Errors: DataLoss.
base::Result<std::optional<base::TrustedTime>> find_trusted_time(store::Transaction& tx);

// What the time from `after` to `until` would end.
struct EndingBetween {
  std::uint64_t archives = 0;
  std::uint64_t tokens = 0;
  bool operator==(const EndingBetween&) const = default;
};
base::Result<EndingBetween> count_ending(store::Transaction& tx, base::WallTime after,
                                         base::WallTime until);

}  // namespace granary::registry
