// Rows of the features as the API's documents. Pure, but for what names releases: that reads.
#pragma once

#include "api/parts.h"
#include "api/wire/access_documents.h"
#include "api/wire/documents.h"
#include "registry/account.h"
#include "registry/domain.h"
#include "registry/token.h"

namespace granary::api {

// Release ids by hash.
using ReleaseNames = std::map<std::string, std::string>;
// Of those that the accounts have or are to have. One read for each distinct release.
base::Result<ReleaseNames> release_names(store::Transaction& tx,
                                         const std::vector<registry::Account>& accounts);

// What only the tenant's cloud knows is left out.
api_wire::TenantDocument tenant_document(const registry::Account& account,
                                         const ReleaseNames& names, const PublicAddress& gateway,
                                         base::WallTime now);
api_wire::DomainClaimDocument claim_document(const registry::DomainClaim& claim);
api_wire::ServiceDocument service_document(const cloud::ServiceStatus& service);
// Without its manifest.
api_wire::ReleaseDocument release_document(const registry::Release& release);
// Differs after every change of the operation.
std::string revision_of(const operation::Operation& operation);
// Without its history.
// Of the operation that left a tenant as it is.
api_wire::FailureDocument failure_document(const operation::Operation& operation);
api_wire::OperationDocument operation_document(const operation::Operation& operation);
api_wire::StepDocument step_document(const operation::StepRecord& record);
// Without its secret.
api_wire::TokenDocument token_document(const registry::Token& token);

}  // namespace granary::api
