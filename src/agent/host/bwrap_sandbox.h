// The full sandbox, by bubblewrap: all namespaces, no capabilities, a read-only root. See
// sandbox.h.
#pragma once

#include "agent/host/sandbox.h"

namespace granary::agent {

class BwrapSandbox final : public Sandbox {
 public:
  BwrapSandbox(wire::Paths paths, std::string bwrap);

  std::string_view isolation() const override { return "full"; }
  SandboxCommand command(const SiloPlan& plan, const SiloMounts& mounts) const override;

 private:
  wire::Paths paths_;
  std::string bwrap_;
  unsigned cores_;  // of this machine
};

}  // namespace granary::agent
