#include "agent/host/unix_doors.h"

#include "agent/limits.h"
#include "base/log.h"
#include "base/os/child.h"
#include "base/os/unix_listener.h"

namespace granary::agent {

base::Result<base::os::Fd> UnixDoors::open(const base::ServiceId& service) {
  TRY(base::os::make_folders(paths_.silo(service.account), 0711));
  return base::os::listen_unix(
      paths_.socket(service),
      {.mode = 0660, .owner = {base::os::own_uid(), gateway_gid_}, .backlog = kBacklog});
}

bool UnixDoors::is_found(const base::ServiceId& service) {
  return base::os::exists(paths_.socket(service));
}

bool UnixDoors::queued(const base::ServiceId&, const base::os::Fd& door) {
  return base::os::connections_queued(door.get());
}

std::optional<std::uint32_t> UnixDoors::waiting(const base::ServiceId& service,
                                                const base::os::Fd& door) {
  if (!queued(service, door)) return 0;  // the usual answer, by the cheaper question
  const auto count = base::os::connections_waiting(door.get());
  if (!count) return std::nullopt;
  return *count;
}

void UnixDoors::close(const base::ServiceId& service, base::os::Fd door) {
  // The name first: nobody shall find a socket that is about to refuse.
  if (const auto removed = base::os::remove_file(paths_.socket(service)); !removed)
    base::log::warn("cannot remove the socket of {}: {}", to_string(service),
                    describe(removed.error()));
  door.reset();
}

}  // namespace granary::agent
