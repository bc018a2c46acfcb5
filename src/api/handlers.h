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

// release_handlers.cc
Answer list_releases(Context& context, Request request);
Answer create_release(Context& context, Request request);
Answer show_release(Context& context, Request request);

// operation_handlers.cc
Answer list_operations(Context& context, Request request);
Answer show_operation(Context& context, Request request);
Answer retry_operation(Context& context, Request request);
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
// `limit`, within its bounds. Errors: InvalidArgument.
base::Result<std::uint32_t> page_limit(const Request& request);
base::Result<std::uint64_t> query_number(const Request& request, const std::string& name,
                                         std::uint64_t fallback);
lifecycle::Caller caller_of(const Request& request);

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
