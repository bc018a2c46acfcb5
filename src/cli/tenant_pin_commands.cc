#include "cli/commands.h"
#include "cli/tenant_finish.h"
#include "cli/text.h"

// granary tenant pin | unpin.
namespace granary::cli {

using api_wire::TenantDocument;
using base::Result;

namespace {

struct PinOptions {
  std::string tenant;
  std::optional<std::string> until;
};

std::string path_to_pin(const std::string& tenant) {
  return path_of({"v1", "tenants", tenant, "pin"});
}

Result<void> pin(Session& session, const PinOptions& options) {
  const api_wire::PinDocument wish{options.until};
  TRY_ASSIGN(const auto tenant, session.api().send<TenantDocument>(
                                    http::verb::post, path_to_pin(options.tenant), wish));
  session.show(tenant, [&] {
    return fmt::format("{} stays at {} {}\n", safe(tenant.id),
                       safe(tenant.release.value_or("no release")),
                       tenant.pinned_until ? "until " + safe(*tenant.pinned_until)
                                           : std::string("until it is unpinned"));
  });
  return {};
}

Result<void> unpin(Session& session, const std::string& id) {
  TRY_ASSIGN(const auto tenant, session.api().remove<TenantDocument>(path_to_pin(id)));
  session.show(tenant, [&] { return fmt::format("{} is not held any more\n", safe(tenant.id)); });
  return {};
}

}  // namespace

void add_pin_commands(CLI::App& tenant, Commands& commands) {
  CLI::App* command = add_verb(tenant, "pin", "hold a tenant at its release");
  const auto options = std::make_shared<PinOptions>();
  command->add_option("TENANT", options->tenant)->required();
  command->add_option("--until", options->until,
                      "a time (2030-01-31T12:00:00Z) or so long from now (48h); for good else");
  commands.on(command, [options](Session& session) { return pin(session, *options); });
  CLI::App* release = add_verb(tenant, "unpin", "let it go again");
  const auto id = std::make_shared<std::string>();
  release->add_option("TENANT", *id)->required();
  commands.on(release, [id](Session& session) { return unpin(session, *id); });
}

}  // namespace granary::cli
