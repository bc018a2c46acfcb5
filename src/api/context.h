// What every handler works with. Owned by the server, which outlives all handlers; lives on its
// executor.
#pragma once

#include "api/auth.h"
#include "api/feed.h"
#include "api/metrics.h"
#include "api/parts.h"

namespace granary::api {

struct Context {
  const Options& options;
  const Parts& parts;
  Authenticator& authenticator;
  Feed& feed;
  Metrics& metrics;
};

}  // namespace granary::api
