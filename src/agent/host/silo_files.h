// The files of one silo's life: its log's two halves, its status file, its record. Blocking;
// stateless.
#pragma once

#include <optional>
#include <string>

#include "agent/silo_launcher.h"
#include "agent/silo_record.h"
#include "base/os/fd.h"
#include "base/os/file.h"
#include "wire/paths.h"

namespace granary::agent {

struct LifeFiles {
  base::os::Fd log[2];
  base::os::Fd status;  // empty
};
base::Result<LifeFiles> open_life_files(const wire::Paths& paths, const base::ServiceId& service);

// What the status file's text says of how it went.
struct StatusReport {
  bool listens = false;
  bool ended = false;  // then `end` says how
  SiloEnd end;
};
StatusReport parse_status(std::string_view text);
StatusReport read_status(const wire::Paths& paths, const base::ServiceId& service);

base::Result<void> write_record(const wire::Paths& paths, const base::ServiceId& service,
                                const SiloRecord& record);
// Errors: NotFound, DataLoss.
base::Result<SiloRecord> read_record(const wire::Paths& paths, const base::ServiceId& service);
// A folder of this owner with a file for each secret, made anew: for where there is no sandbox to
// put them in.
base::Result<void> write_secrets(const std::string& folder, const wire::Secrets& secrets,
                                 std::optional<base::os::Ownership> owner);
// Record, status and secrets; success when there are none.
base::Result<void> remove_life_files(const wire::Paths& paths, const base::ServiceId& service);
// Services that have a record.
std::vector<base::ServiceId> recorded_services(const wire::Paths& paths);

}  // namespace granary::agent
