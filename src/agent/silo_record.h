// What the agent writes about a running silo, so that its successor can adopt it (`SERVICE.json`).
// Value type with a JSON form.
#pragma once

#include <string>

#include "base/json.h"
#include "base/os/process.h"

namespace granary::agent {

struct SiloRecord {
  base::os::ProcessIdentity init;     // the silo's first process
  base::os::ProcessIdentity monitor;  // the sandbox program that waits for it; pid 0: none
  std::string boot_id;                // of the machine: pids mean nothing after a reboot
  std::uint32_t epoch = 0;
  std::string fingerprint;
  std::uint64_t log_cursor = 0;  // where its log began (log_reader.h)
  bool operator==(const SiloRecord&) const = default;
};

base::json::object to_json(const SiloRecord& record);
// Errors: InvalidArgument.
base::Result<SiloRecord> silo_record_from(const base::json::object& from);

}  // namespace granary::agent
