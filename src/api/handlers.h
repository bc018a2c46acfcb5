// What each route does, one function each; routes.cc says which is whose. The context outlives the
// call. Each runs on the server's executor, after the role, the query's names and the body's
// syntax have been checked.
#pragma once

#include "api/context.h"
#include "api/message.h"

namespace granary::api {

using Answer = base::Task<base::Result<Response>>;

// tenant_handlers.cc
Answer list_tenants(Context& context, Request request);
Answer create_tenant(Context& context, Request request);
Answer show_tenant(Context& context, Request request);
Answer update_tenant(Context& context, Request request);
Answer suspend_tenant(Context& context, Request request);
Answer resume_tenant(Context& context, Request request);
Answer offboard_tenant(Context& context, Request request);
Answer read_tenant_log(Context& context, Request request);
Answer pin_tenant(Context& context, Request request);
Answer unpin_tenant(Context& context, Request request);

// domain_handlers.cc
Answer list_domain_claims(Context& context, Request request);
Answer claim_domain(Context& context, Request request);
Answer verify_domain(Context& context, Request request);
Answer drop_domain_claim(Context& context, Request request);

// archive_handlers.cc
Answer export_tenant(Context& context, Request request);
Answer restore_tenant(Context& context, Request request);
Answer list_archives(Context& context, Request request);
Answer create_archive(Context& context, Request request);
Answer show_archive(Context& context, Request request);
Answer read_archive(Context& context, Request request);
Answer remove_archive(Context& context, Request request);

// certificate_handlers.cc
Answer list_certificates(Context& context, Request request);
Answer show_certificate(Context& context, Request request);
Answer list_signing_keys(Context& context, Request request);

// plan_handlers.cc
Answer list_plans(Context& context, Request request);
Answer show_plan(Context& context, Request request);
Answer put_plan(Context& context, Request request);
Answer remove_plan(Context& context, Request request);

// secret_handlers.cc
Answer list_secrets(Context& context, Request request);
Answer set_secret(Context& context, Request request);
Answer unset_secret(Context& context, Request request);

// audit_handlers.cc
Answer list_audit(Context& context, Request request);
Answer check_audit(Context& context, Request request);

// drift_handlers.cc
Answer show_drift(Context& context, Request request);
Answer repair_drift(Context& context, Request request);

// clock_handlers.cc
Answer show_clock(Context& context, Request request);
Answer accept_clock(Context& context, Request request);

// release_handlers.cc
Answer list_releases(Context& context, Request request);
Answer create_release(Context& context, Request request);
Answer show_release(Context& context, Request request);
Answer delete_release(Context& context, Request request);

// operation_handlers.cc
Answer list_operations(Context& context, Request request);
Answer show_operation(Context& context, Request request);
Answer retry_operation(Context& context, Request request);
Answer pause_operation(Context& context, Request request);
Answer resume_operation(Context& context, Request request);
Answer cancel_operation(Context& context, Request request);

// token_handlers.cc
Answer list_tokens(Context& context, Request request);
Answer create_token(Context& context, Request request);
Answer revoke_token(Context& context, Request request);

// verification_handlers.cc
Answer sign_verification(Context& context, Request request);

// status_handlers.cc
Answer show_status(Context& context, Request request);
Answer stream_events(Context& context, Request request);
Answer show_openapi(Context& context, Request request);
Answer show_health(Context& context, Request request);
Answer show_readiness(Context& context, Request request);
Answer show_metrics(Context& context, Request request);

// ---- shared by them (common.cc)

// 202 with the operation and where it is.
Response accepted(const operation::Operation& operation);
Response no_content();
// `limit`, within its bounds. Errors: InvalidArgument.
base::Result<std::uint32_t> page_limit(const Request& request);
base::Result<std::uint64_t> query_number(const Request& request, const std::string& name,
                                         std::uint64_t fallback);
lifecycle::Caller caller_of(const Request& request);
base::AccountId tenant_in(const Request& request);
// A moment as people write it: a time (RFC 3339), or how long it is from now: "48h" hence, or ago.
// Errors: InvalidArgument, with `name`.
enum class Direction { Hence, Ago };
base::Result<base::WallTime> moment_of(std::string_view name, const std::string& text,
                                       base::WallTime now, Direction direction);

// The body as the document it must be; a missing body is an empty one.
template <class Document>
base::Result<Document> body_of(const Request& request) {
  return api_wire::from_json<Document>(request.body, api_wire::Unknown::Refuse);
}

// A page of at most `limit` of `items`, of which one more was asked for to know whether there are
// others; `id_of` gives the cursor.
template <class List, class Items, class IdOf>
void cut_page(List& page, Items& items, std::size_t limit, IdOf id_of) {
  if (items.size() <= limit) return;
  items.resize(limit);
  page.next = id_of(items.back());
}

}  // namespace granary::api
