#include "api/handlers.h"
#include "api/views.h"

// Domains that tenants say are theirs, until they have proved it.
namespace granary::api {

using base::Result;
using store::Transaction;

Answer list_domain_claims(Context& context, Request request) {
  std::vector<registry::DomainClaim> claims;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY(registry::get(tx, tenant_in(request)));
    TRY_ASSIGN(claims, registry::list_claims(tx, tenant_in(request)));
    return {};
  }));
  api_wire::DomainClaimList page;
  for (const auto& claim : claims) page.items.push_back(claim_document(claim));
  co_return answer(page);
}

Answer claim_domain(Context& context, Request request) {
  CO_TRY_ASSIGN(auto wish, body_of<api_wire::ClaimDomainDocument>(request));
  CO_TRY_ASSIGN(const auto claim,
                co_await context.parts.lifecycle.claim_domain(
                    tenant_in(request), std::move(wish.domain), caller_of(request)));
  co_return answer(claim_document(claim), http::status::created);
}

Answer verify_domain(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto operation,
                co_await context.parts.lifecycle.verify_domain(
                    tenant_in(request), request.place("domain"), caller_of(request)));
  co_return accepted(operation);
}

Answer drop_domain_claim(Context& context, Request request) {
  CO_TRY(co_await context.parts.lifecycle.drop_claim(tenant_in(request), request.place("domain"),
                                                     caller_of(request)));
  co_return no_content();
}

}  // namespace granary::api
