#include "app/confinement.h"

#include "agent/host/seccomp_filter.h"
#include "base/log.h"
#include "base/os/confine.h"

namespace granary::app {

using base::Result;
using base::os::Access;
using base::os::AllowedPath;

namespace {

// What libraries read as they go: names and addresses, time zones, the list of trusted issuers,
// where random numbers and this process's own state come from.
std::vector<AllowedPath> common() {
  return {{"/etc", Access::Read},
          {"/usr", Access::Read},
          {"/proc/self", Access::Read},
          {"/dev/null", Access::ReadWrite},
          {"/dev/urandom", Access::Read},
          {"/run/systemd/resolve", Access::Read},
          {"/sys/devices/system/cpu", Access::Read}};
}

Result<void> confine(const char* role, std::vector<AllowedPath> own) {
  std::vector<AllowedPath> allowed = common();
  allowed.insert(allowed.end(), own.begin(), own.end());
  const Result<void> files = base::os::confine_files(allowed);
  if (!files && files.error().code != base::Code::NotSupported) return files;
  if (!files) base::log::warn("{} sees all files: {}", role, base::describe(files.error()));
  // The calls that a silo may make are those of any ordinary program: no mounts, no namespaces, no
  // tracing, no kernel's own machinery.
  TRY_ASSIGN(const base::os::Fd filter, agent::compile_seccomp_filter());
  return base::os::confine_calls(filter);
}

}  // namespace

Result<void> confine_control(const Config& config) {
  const wire::Paths paths(config.data_dir);
  return confine("control", {{paths.control(), Access::ReadWrite},
                             {paths.bundles(), Access::ReadWrite},
                             {paths.frontends(), Access::ReadWrite},
                             {paths.transfers(), Access::ReadWrite},
                             {paths.archives(), Access::ReadWrite},
                             {paths.publish(), Access::ReadWrite},
                             {paths.run(), Access::Read}});
}

Result<void> confine_gateway(const Config& config) {
  const wire::Paths paths(config.data_dir);
  std::vector<AllowedPath> own = {{paths.frontends(), Access::Read},
                                  {paths.publish(), Access::Read},
                                  {paths.access(), Access::ReadWrite},
                                  // The board is made by the agent, perhaps after us.
                                  {paths.run(), Access::ReadWrite}};
  if (config.gateway_tls) own.push_back({config.certificates, Access::Read});
  return confine("gateway", std::move(own));
}

Result<void> confine_egress(const Config& config) {
  const wire::Paths paths(config.data_dir);
  return confine("egress", {{paths.publish(), Access::Read}, {paths.egress(), Access::ReadWrite}});
}

}  // namespace granary::app
