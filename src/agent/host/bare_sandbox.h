// No sandbox at all (`--isolation none`): granary-init as a plain process, for machines that can
// do no better and for development. Reports say so. See sandbox.h.
#pragma once

#include "agent/host/sandbox.h"

namespace granary::agent {

class BareSandbox final : public Sandbox {
 public:
  explicit BareSandbox(wire::Paths paths) : paths_(std::move(paths)) {}

  std::string_view isolation() const override { return "none"; }
  SandboxCommand command(const SiloPlan& plan, const SiloMounts& mounts) const override;

 private:
  wire::Paths paths_;
};

}  // namespace granary::agent
