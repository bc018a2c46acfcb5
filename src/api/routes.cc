#include "api/handlers.h"
#include "api/route_tables.h"

// The table. Viewers read; deployers also bring releases and run tenants with them; what destroys
// data, gives it away or lets others in is for operators. Tokens and archives are not even listed
// to others.
namespace granary::api {
namespace {

using http::verb;

std::vector<Route> release_routes() {
  return {
      {verb::get,
       "/v1/releases",
       Access::Viewer,
       Body::None,
       list_releases,
       "listReleases",
       "Releases, newest first",
       {kAfter, kLimit},
       "",
       "ReleaseList"},
      {verb::post,
       "/v1/releases",
       Access::Deployer,
       Body::Bundle,
       create_release,
       "createRelease",
       "Make a release of a bundle; the same contents give the same release",
       {{"name", "For people; where missing the app's name and a part of the hash."},
        {"new_app", "true: take it although the installation runs another app."}},
       "",
       "Release",
       http::status::created},
      {verb::get,
       "/v1/releases/{release}",
       Access::Viewer,
       Body::None,
       show_release,
       "showRelease",
       "One release by id, hash, prefix of the hash, or `latest` of the installation's one app",
       {},
       "",
       "Release"},
      {verb::delete_,
       "/v1/releases/{release}",
       Access::Operator,
       Body::None,
       delete_release,
       "deleteRelease",
       "Delete a release that no tenant is at, and its files. With dry_run the answer is 200 with "
       "the Release, and nothing happens",
       {{"dry_run", "true: only say what would go."}},
       "",
       "Operation",
       http::status::accepted},
  };
}

std::vector<Route> operation_routes() {
  return {
      {verb::get,
       "/v1/operations",
       Access::Viewer,
       Body::None,
       list_operations,
       "listOperations",
       "Operations, newest first",
       {{"subject", "Only of this: tenant/acme."},
        {"kind", "Only of this kind: tenant.create."},
        {"state", "Only these."},
        {"parent", "Only those that this operation has begun: its id."},
        kAfter,
        kLimit},
       "",
       "OperationList"},
      {verb::get,
       "/v1/operations/{operation}",
       Access::Viewer,
       Body::None,
       show_operation,
       "showOperation",
       "One operation with its history",
       {{"wait", "10s: answer when it has ended, at the latest after this time (up to 30s)."},
        {"revision", "With wait: answer as soon as its revision is another one."}},
       "",
       "Operation"},
  };
}

std::vector<Route> operation_change_routes() {
  return {
      {verb::post,
       "/v1/operations/{operation}/retry",
       Access::Deployer,
       Body::Json,
       retry_operation,
       "retryOperation",
       "Take up a failed operation at the step that failed; asks for the role of its kind",
       {},
       "",
       "Operation",
       http::status::accepted},
      {verb::post,
       "/v1/operations/{operation}/pause",
       Access::Deployer,
       Body::Json,
       pause_operation,
       "pauseOperation",
       "Begin no further step of an operation, and no further operation of one that begins others; "
       "those at work end. Asks for the role of its kind",
       {},
       "",
       "Operation",
       http::status::accepted},
      {verb::post,
       "/v1/operations/{operation}/resume",
       Access::Deployer,
       Body::Json,
       resume_operation,
       "resumeOperation",
       "Let a paused operation go on; asks for the role of its kind",
       {},
       "",
       "Operation",
       http::status::accepted},
      {verb::post,
       "/v1/operations/{operation}/cancel",
       Access::Deployer,
       Body::Json,
       cancel_operation,
       "cancelOperation",
       "End an operation before its next step; of one that begins others, those that have not "
       "begun "
       "are cancelled, and it ends when the others have. Asks for the role of its kind",
       {},
       "",
       "Operation",
       http::status::accepted},
  };
}

std::vector<Route> fleet_routes() {
  return {
      {verb::get,
       "/v1/status",
       Access::Viewer,
       Body::None,
       show_status,
       "showStatus",
       "The whole fleet counted; what is unhealthy is named",
       {},
       "",
       "Status"},
      {verb::get,
       "/v1/events",
       Access::Viewer,
       Body::None,
       stream_events,
       "streamEvents",
       "Changes of operations as server-sent events; Last-Event-ID goes on where it was left",
       {},
       "",
       "text/event-stream"},
  };
}

std::vector<Route> token_routes() {
  return {
      {verb::post,
       "/v1/verifications",
       Access::Operator,
       Body::Json,
       sign_verification,
       "signVerification",
       "Sign the report of granary verify under the installation's key",
       {},
       "Verification",
       "Signed",
       http::status::created},
      {verb::get,
       "/v1/tokens",
       Access::Operator,
       Body::None,
       list_tokens,
       "listTokens",
       "Tokens, without their secrets",
       {kAfter, kLimit},
       "",
       "TokenList"},
      {verb::post,
       "/v1/tokens",
       Access::Operator,
       Body::Json,
       create_token,
       "createToken",
       "Make a token; its secret is shown this once",
       {},
       "CreateToken",
       "Token",
       http::status::created},
      {verb::delete_,
       "/v1/tokens/{token}",
       Access::Operator,
       Body::None,
       revoke_token,
       "revokeToken",
       "Revoke a token, at once and for ever",
       {},
       "",
       "",
       http::status::no_content},
  };
}

std::vector<Route> machine_routes() {
  return {
      {verb::get,
       "/v1/openapi.json",
       Access::Public,
       Body::None,
       show_openapi,
       "showOpenapi",
       "This document",
       {},
       "",
       "application/json"},
      {verb::get,
       "/healthz",
       Access::Public,
       Body::None,
       show_health,
       "showHealth",
       "200 while the process answers",
       {},
       "",
       "text/plain"},
      {verb::get,
       "/readyz",
       Access::Public,
       Body::None,
       show_readiness,
       "showReadiness",
       "200 while the store and the roles that are needed answer; 503 says who does not",
       {},
       "",
       "text/plain"},
      {verb::get,
       "/metrics",
       Access::Public,
       Body::None,
       show_metrics,
       "showMetrics",
       "Counts for Prometheus; no names",
       {},
       "",
       "text/plain"},
  };
}

}  // namespace

const std::vector<Route>& routes() {
  static const std::vector<Route> all = [] {
    std::vector<Route> list;
    for (const auto& part :
         {tenant_routes(), tenant_action_routes(), pin_routes(), domain_routes(), transfer_routes(),
          archive_routes(), certificate_routes(), plan_routes(), secret_routes(), release_routes(),
          operation_routes(), operation_change_routes(), fleet_routes(), drift_routes(),
          clock_routes(), audit_routes(), token_routes(), machine_routes()})
      list.insert(list.end(), part.begin(), part.end());
    return list;
  }();
  return all;
}

}  // namespace granary::api
