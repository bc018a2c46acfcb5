#include "app/layout.h"

#include "base/os/child.h"

namespace granary::app {

using base::os::own_folder;
using base::os::Ownership;

base::Result<void> prepare_layout(const Config& config) {
  if (!config.data_dir.starts_with('/') || config.data_dir.size() < 2 ||
      config.data_dir.ends_with('/'))
    return base::fail_with_advice(
        base::Code::InvalidArgument,
        fmt::format("'{}' cannot be the data directory", config.data_dir),
        "Give an absolute path without a slash at its end, such as /var/lib/granary");
  const wire::Paths paths(config.data_dir);
  const Ownership root{base::os::own_uid(), base::os::own_gid()};
  const Ownership control = control_identity(config);
  const Ownership gateway = gateway_identity(config);
  const Ownership egress = egress_identity(config);
  // 0711: passed through on the way to what one may read, but not listed.
  TRY(own_folder(paths.data(), 0711, root));
  TRY(own_folder(paths.control(), 0700, control));
  TRY(own_folder(paths.control() + "/uploads", 0700, control));
  TRY(own_folder(paths.bundles(), 0711, control));
  TRY(own_folder(paths.frontends(), 0711, control));
  TRY(own_folder(paths.transfers(), 0700, control));
  TRY(own_folder(paths.archives(), 0700, control));
  TRY(own_folder(paths.publish(), 0755, control));
  TRY(own_folder(paths.releases(), 0711, root));
  TRY(own_folder(paths.accounts(), 0711, root));
  TRY(own_folder(paths.graveyard(), 0700, root));
  TRY(own_folder(paths.keys(), 0700, root));
  TRY(own_folder(paths.access(), 0700, gateway));
  TRY(own_folder(paths.egress(), 0700, egress));
  TRY(own_folder(paths.run(), 0711, root));
  TRY(own_folder(paths.egress_run(), 0711, egress));
  TRY(own_folder(paths.silos(), 0711, root));
  return {};
}

}  // namespace granary::app
