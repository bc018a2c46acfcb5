// The real doors: unix sockets below DATA/run/silo. See agent/doors.h.
#pragma once

#include "agent/doors.h"
#include "base/os/file.h"
#include "wire/paths.h"

namespace granary::agent {

class UnixDoors final : public Doors {
 public:
  // `gateway_gid` is the group that may connect.
  UnixDoors(wire::Paths paths, gid_t gateway_gid)
      : paths_(std::move(paths)), gateway_gid_(gateway_gid) {}

  base::Result<base::os::Fd> open(const base::ServiceId& service) override;
  bool is_found(const base::ServiceId& service) override;
  bool queued(const base::ServiceId& service, const base::os::Fd& door) override;
  std::optional<std::uint32_t> waiting(const base::ServiceId& service,
                                       const base::os::Fd& door) override;
  void close(const base::ServiceId& service, base::os::Fd door) override;

 private:
  wire::Paths paths_;
  gid_t gateway_gid_;
};

}  // namespace granary::agent
