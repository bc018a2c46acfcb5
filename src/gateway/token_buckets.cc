#include "gateway/token_buckets.h"

#include <algorithm>

namespace granary::gateway {

bool TokenBuckets::take(std::string_view client, base::BootTime now) {
  const auto found = buckets_.find(client);
  if (found != buckets_.end()) {
    recent_.splice(recent_.begin(), recent_, found->second);
  } else {
    if (recent_.size() == rate_.clients) {
      buckets_.erase(recent_.back().client);
      recent_.pop_back();
    }
    recent_.push_front({std::string(client), now});
    buckets_.emplace(recent_.front().client, recent_.begin());
  }
  base::BootTime& full_at = recent_.front().full_at;
  const base::BootTime after = std::max(full_at, now) + rate_.every;
  if (after - now > rate_.every * rate_.burst) return false;
  full_at = after;
  return true;
}

}  // namespace granary::gateway
