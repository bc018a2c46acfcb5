// Why a tenant is as it is, for people: what left it so, what it was to run, what it lacks. Value
// types and one decision; the rows are read by Lifecycle::condition().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operation/operation.h"
#include "registry/account.h"

namespace granary::lifecycle {

struct Condition {
  // Of the tenant, and of the checks of its deployments.
  std::optional<operation::Operation> newest;
  // The one that left it as it is without having done what was asked for.
  std::optional<operation::Operation> failed;
  std::vector<std::string> services;         // of the release that it is to run
  std::vector<std::string> secrets_not_set;  // that this release declares
};

// Of these operations, newest first. Nothing: since the last one that failed, another one went well
// that brings the account to what is desired of it.
const operation::Operation* failure_in(const std::vector<operation::Operation>& operations,
                                       const registry::Account& account);

}  // namespace granary::lifecycle
