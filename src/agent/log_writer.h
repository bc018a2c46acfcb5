// Lines of the platform's own in a service's log, beside those that granary-init writes while the
// service runs: both append, and the kernel keeps their lines apart. Blocking; stateless.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "wire/paths.h"

namespace granary::agent {

// The tag of such a line: a request failed. Not what the app said.
inline constexpr std::string_view kRequestTag = "req";

// `TIME req TEXT`, into the newer of the log's files. A service that never ran has no log, and gets
// none; the first file of one that said nothing yet is begun. `text` is one line. Errors: of the
// system.
base::Result<void> append_log(const wire::Paths& paths, const base::ServiceId& service,
                              base::WallTime time, std::string_view text);

}  // namespace granary::agent
