// How often one client may do something: a bucket of tokens for each, refilled with time. Bounded:
// the client seen longest ago is forgotten first, which only ever gives it more. One thread.
#pragma once

#include <chrono>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.h"

namespace granary::gateway {

class TokenBuckets final {
 public:
  struct Rate {
    std::uint32_t burst = 1;
    std::chrono::nanoseconds every{0};  // one more token after this long
    std::size_t clients = 1;
  };
  explicit TokenBuckets(Rate rate) : rate_(rate) {}

  // Takes a token. False when there is none.
  bool take(std::string_view client, base::BootTime now);

 private:
  struct Bucket {
    std::string client;
    base::BootTime full_at;  // when it will hold `burst` again
  };
  Rate rate_;
  std::list<Bucket> recent_;  // the one seen last at the front
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> buckets_;
};

}  // namespace granary::gateway
