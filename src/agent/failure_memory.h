// What the next agent must know of services that fail, so that a restart of the agent ends no
// back-off: a small file for each, below run/, so it does not outlive the machine's boot. Blocking;
// stateless but for its paths.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "wire/paths.h"

namespace granary::agent {

struct Failures {
  base::ServiceId service;
  std::string release_hash;    // of the release that failed: another one gets another chance
  std::uint32_t crashes = 0;   // in a row
  base::BootTime retry_at{0};  // of this boot; in the past: it need not wait
  std::string last_failure;    // for people
  bool operator==(const Failures&) const = default;
};

class FailureMemory final {
 public:
  explicit FailureMemory(wire::Paths paths) : paths_(std::move(paths)) {}

  // Replaces what was known of the service. Not durable: a power cut forgives.
  base::Result<void> save(const Failures& failures) const;
  // Success when nothing was known.
  base::Result<void> forget(const base::ServiceId& service) const;
  // All of this boot. What cannot be read is left out, with a line in the log.
  std::vector<Failures> load_all() const;

 private:
  wire::Paths paths_;
};

}  // namespace granary::agent
