#include "agent/host/bare_sandbox.h"

namespace granary::agent {

SandboxCommand BareSandbox::command(const SiloPlan& plan, const SiloMounts& mounts) const {
  const std::string& disk = mounts.disk;
  const std::string release = paths_.release(plan.release_hash);
  SandboxCommand command;
  command.argv = init_command(sandbox_folders(paths_).init, plan);
  for (const char* part : {"--workdir", release.c_str(), "--"}) command.argv.emplace_back(part);
  command.argv.insert(command.argv.end(), plan.spec.command.begin(), plan.spec.command.end());
  command.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TMPDIR=/tmp",
                         "HOME=" + disk};
  for (const auto& [name, value] : plan.spec.env) command.environment.push_back(name + "=" + value);
  command.environment.push_back("DATA_DIR=" + disk);
  command.secrets_folder = paths_.silo_secrets(plan.service);
  command.environment.push_back("SECRETS_DIR=" + command.secrets_folder);
  command.environment.push_back("APP_RELEASE=" + plan.release_name);
  return command;
}

}  // namespace granary::agent
