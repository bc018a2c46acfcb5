#include "agent/host/sandbox.h"

#include "agent/limits.h"

namespace granary::agent {

SandboxFolders sandbox_folders(const wire::Paths& paths) {
  return {.init = paths.run() + "/granary-init",
          .etc = paths.run() + "/etc",
          .dev = paths.run() + "/dev",
          .var = paths.run() + "/var",
          .empty = paths.run() + "/empty",
          .disk = paths.run() + "/disk",
          .scratch = paths.run() + "/scratch",
          .groups = paths.run() + "/groups"};
}

std::vector<std::string> init_command(const std::string& program, const SiloPlan& plan) {
  const wire::ServiceSpec& spec = plan.spec;
  std::vector<std::string> argv = {program,
                                   "--listen",
                                   spec.port == 0 ? "fd" : std::to_string(spec.port),
                                   "--stop-timeout",
                                   std::to_string(spec.stop_timeout.count()),
                                   "--log-bytes",
                                   std::to_string(kLogBytes)};
  return argv;
}

}  // namespace granary::agent
