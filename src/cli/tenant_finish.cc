#include "cli/tenant_finish.h"

#include "cli/text.h"

namespace granary::cli {

using api_wire::OperationDocument;
using api_wire::TenantDocument;
using base::Result;

namespace {

void tell_begun(Session& session, const OperationDocument& operation) {
  session.show(operation, [&] {
    return fmt::format("{} has begun: {}\n", safe(title(operation)), safe(operation.id));
  });
}

}  // namespace

Result<void> finish_tenant(Session& session, OperationDocument operation, const std::string& tenant,
                           Wait wait) {
  if (wait == Wait::No) {
    tell_begun(session, operation);
    return {};
  }
  TRY_ASSIGN(operation, session.wait(std::move(operation)));
  if (operation.follow_up) {
    OperationDocument check;
    check.id = *operation.follow_up;
    check.kind = "deployment.check";
    check.subject = "check/" + tenant;
    TRY(session.wait(std::move(check)));
  }
  TRY_ASSIGN(const auto now_is, session.api().get<TenantDocument>(path_to_tenant(tenant)));
  session.show(now_is, [&] {
    return fmt::format("{} is {}: {}\n", safe(now_is.id), safe(now_is.state), safe(now_is.url));
  });
  return {};
}

Result<void> finish_operation(Session& session, OperationDocument operation, Wait wait,
                              const std::string& done) {
  if (wait == Wait::No) {
    tell_begun(session, operation);
    return {};
  }
  TRY_ASSIGN(operation, session.wait(std::move(operation)));
  session.show(operation, [&] { return safe(done) + "\n"; });
  return {};
}

}  // namespace granary::cli
