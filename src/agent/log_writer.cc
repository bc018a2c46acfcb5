#include "agent/log_writer.h"

#include <fcntl.h>

#include "agent/log_reader.h"
#include "base/os/file.h"

namespace granary::agent {

base::Result<void> append_log(const wire::Paths& paths, const base::ServiceId& service,
                              base::WallTime time, std::string_view text) {
  const std::optional<int> newer = newer_half(paths, service);
  const auto second = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto file = base::os::open_file(paths.log(service, newer.value_or(0)),
                                        O_WRONLY | O_APPEND | O_NOFOLLOW, 0);
  if (!file && file.error().code == base::Code::NotFound) return {};
  if (!file) return std::unexpected(file.error());
  // In one write: granary-init may append at the same moment.
  return base::os::write_all(file->get(), fmt::format("{}{} {} {}\n", newer ? "" : first_log_head(),
                                                      base::to_rfc3339(second), kRequestTag, text));
}

}  // namespace granary::agent
