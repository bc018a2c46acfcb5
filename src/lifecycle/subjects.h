// What an operation of this room is about, and what people are told of accounts that are busy.
// Internal to this room.
#pragma once

#include <string>

#include "operation/operation.h"
#include "registry/account.h"

namespace granary::lifecycle {

inline constexpr const char* kCheckKind = "deployment.check";
// Checks of an account's deployments run beside its other operations.
inline std::string check_subject(const base::AccountId& id) { return "check/" + id.value; }
inline std::string subject_of(const base::AccountId& id) { return "tenant/" + id.value; }
// In the input of an update and of a check: the name of the release that it brings, or looks at.
inline constexpr const char* kReleaseInput = "release";
inline std::string release_in(const operation::Operation& operation) {
  return base::json::get_string_or(operation.input, kReleaseInput, "").value_or("");
}
// In the input of the tenant.apply that follows an update that was refused.
inline constexpr const char* kAfterRefusal = "after_refusal";
inline base::AccountId account_of(const operation::Operation& operation) {
  return base::AccountId(base::json::get_string(operation.input, "account").value_or(""));
}
inline std::string actor_of(const operation::Operation& operation) {
  return "operation/" + operation.id.value;
}

// Errors: Conflict while the account is on its way out, or its data is being replaced.
base::Result<void> check_free(const registry::Account& account);

// Errors: Conflict while it is held at its release.
base::Result<void> check_pin(const registry::Account& account, base::WallTime now);

// What was recorded under the key of this request. Errors: Conflict when it was another request.
base::Result<operation::Operation> same_request(const operation::Operation& earlier,
                                                std::string_view kind, const base::AccountId& id);

// The name that people see; the id where none is given. Errors: InvalidArgument (too long).
base::Result<std::string> public_name(const std::string& name, const base::AccountId& id);

// The account as the audit log tells of it; empty when there is none.
base::Result<base::json::object> audited(store::Transaction& tx, const base::AccountId& id);
// One entry around `work`: the account before and after it.
struct AuditHead {
  std::string actor;
  std::string action;
  base::json::object asked;  // what the caller gave; told in the entry where it is not empty
};
base::Result<void> with_audit(store::Transaction& tx, const base::AccountId& id,
                              const AuditHead& head, base::WallTime now, const store::Work& work);

// Whatever was making or restoring it has ended well.
base::Result<void> make_active(store::Transaction& tx, const base::AccountId& id,
                               base::WallTime now);

}  // namespace granary::lifecycle
