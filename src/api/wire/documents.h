// The documents of the API: what its requests and answers hold, shared by the server and the
// command line, whose `-o json` prints exactly these. Value types; their JSON form is codec.h's,
// with the members' names as they stand here. Times are RFC 3339 in UTC.
#pragma once

#include <boost/describe/class.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace granary::api_wire {

// ---- releases

struct ReleaseDocument {
  std::string id;    // for people: name-<12 hex digits of the hash>
  std::string hash;  // of the contents
  std::string app;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::string actor;
  std::string created;
  std::optional<base::json::object> manifest;  // when one release is asked for
  bool operator==(const ReleaseDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ReleaseDocument, (), (id, hash, app, bytes, files, actor, created, manifest))

struct ReleaseList {
  std::vector<ReleaseDocument> items;  // newest first
  std::optional<std::string> next;     // give it as `after`; missing: this was the last page
};
BOOST_DESCRIBE_STRUCT(ReleaseList, (), (items, next))

// ---- tenants

struct ServiceDocument {
  std::string name;
  std::string phase;  // asleep, starting, running, stopping, backing_off
  std::string last_failure;
  std::uint64_t memory_bytes = 0;
  std::uint64_t wakes = 0;
  bool operator==(const ServiceDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ServiceDocument, (), (name, phase, last_failure, memory_bytes, wakes))

// What a tenant says of a domain until it has proved it: by `token` in a TXT record at `txt_name`,
// or in what http://DOMAIN answers at `http_path`.
struct DomainClaimDocument {
  std::string tenant;
  std::string domain;
  std::string token;  // not secret
  std::string txt_name;
  std::string http_path;
  std::string created;
  bool operator==(const DomainClaimDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(DomainClaimDocument, (),
                      (tenant, domain, token, txt_name, http_path, created))

struct TenantDocument {
  std::string id;
  std::string name;
  std::string kind;  // tenant, environment
  std::string plan;
  std::string cloud;
  std::string state;   // creating, active, suspended, restoring, offboarding, failed
  std::string health;  // unknown, well, failing
  std::string health_detail;
  std::string url;
  std::optional<std::string> release;          // what is deployed
  std::optional<std::string> desired_release;  // what is to be
  std::uint64_t version = 0;
  std::string isolation;
  std::vector<std::string> domains;
  std::vector<std::string> discovery;       // how people find it: email:A@B, email-domain:B
  bool pinned = false;                      // held at its release
  std::optional<std::string> pinned_until;  // missing, and pinned: for good
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> settings;
  std::string created;
  std::string updated;
  // These when one tenant is asked for and its cloud answers; `cloud_problem` when it does not, or
  // says that something of the account is broken.
  std::vector<ServiceDocument> services;
  std::optional<std::uint64_t> disk_used_bytes;
  std::optional<std::uint64_t> disk_quota_bytes;
  std::optional<std::string> encryption;  // of its disk: none, or the cipher
  std::optional<bool> yields_cpu;         // it uses much, and runs where no other tenant wants to
  std::optional<std::string> cloud_problem;
  std::optional<std::string> operation;  // the newest one
  std::vector<DomainClaimDocument> domain_claims;
  bool operator==(const TenantDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(TenantDocument, (),
                      (id, name, kind, plan, cloud, state, health, health_detail, url, release,
                       desired_release, version, isolation, domains, discovery, pinned,
                       pinned_until, labels, settings, created, updated, services, disk_used_bytes,
                       disk_quota_bytes, encryption, yields_cpu, cloud_problem, operation,
                       domain_claims))

struct TenantList {
  std::vector<TenantDocument> items;  // by id
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(TenantList, (), (items, next))

struct CreateTenantDocument {
  std::string id;
  std::optional<std::string> name;     // default: the id
  std::optional<std::string> plan;     // default: standard
  std::optional<std::string> cloud;    // default: host
  std::optional<std::string> release;  // id, hash or latest; default: latest of the one app
  std::vector<std::string> domains;
  std::vector<std::string> discovery;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> settings;
};
BOOST_DESCRIBE_STRUCT(CreateTenantDocument, (),
                      (id, name, plan, cloud, release, domains, discovery, labels, settings))

struct UpdateTenantDocument {
  std::optional<std::string> name;
  std::optional<std::string> plan;
  std::optional<std::string> release;
  std::map<std::string, std::optional<std::string>> labels;    // null: remove
  std::map<std::string, std::optional<std::string>> settings;  // null: remove
  std::vector<std::string> add_domains;
  std::vector<std::string> remove_domains;
  std::vector<std::string> add_discovery;
  std::vector<std::string> remove_discovery;
  std::optional<bool> change_app;  // true: to a release of another app, which gets the data
};
BOOST_DESCRIBE_STRUCT(UpdateTenantDocument, (),
                      (name, plan, release, labels, settings, add_domains, remove_domains,
                       add_discovery, remove_discovery, change_app))

struct PinDocument {
  std::optional<std::string> until;  // a time, or "48h" from now; missing: for good
};
BOOST_DESCRIBE_STRUCT(PinDocument, (), (until))

struct ClaimDomainDocument {
  std::string domain;
};
BOOST_DESCRIBE_STRUCT(ClaimDomainDocument, (), (domain))

struct DomainClaimList {
  std::vector<DomainClaimDocument> items;  // by domain; never more than one page
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(DomainClaimList, (), (items, next))

struct OffboardDocument {
  std::optional<std::string> retain;  // "30d", which is the default; "0s": destroyed at once
  std::optional<std::uint64_t> retain_ms;
  std::optional<bool> dry_run;
  // Default: true. All of the tenant as one file, kept as long as its data is.
  std::optional<bool> final_export;
};
BOOST_DESCRIBE_STRUCT(OffboardDocument, (), (retain, retain_ms, dry_run, final_export))

struct OffboardPlanDocument {
  std::string tenant;
  std::string state;
  std::uint64_t retain_ms = 0;
  std::uint64_t disk_used_bytes = 0;
  std::vector<std::string> steps;
};
BOOST_DESCRIBE_STRUCT(OffboardPlanDocument, (), (tenant, state, retain_ms, disk_used_bytes, steps))

struct LogDocument {
  std::string service;
  std::vector<std::string> lines;
  std::uint64_t cursor = 0;  // where to go on
};
BOOST_DESCRIBE_STRUCT(LogDocument, (), (service, lines, cursor))

// ---- operations

struct ErrorDocument {
  std::string code;
  std::string message;
  std::string advice;
  std::vector<std::string> context;
  bool operator==(const ErrorDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ErrorDocument, (), (code, message, advice, context))

struct StepDocument {
  std::string step;
  std::uint32_t attempt = 0;
  std::string started;
  std::optional<std::string> ended;
  std::string outcome;  // running, done, retry, failed
  std::string detail;
  bool operator==(const StepDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(StepDocument, (), (step, attempt, started, ended, outcome, detail))

struct ChildrenDocument {              // operations that this one has begun
  std::optional<std::uint64_t> total;  // where it is known before all have begun
  std::uint64_t at_work = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t skipped = 0;  // not needed any more when their turn came
  bool operator==(const ChildrenDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(ChildrenDocument, (), (total, at_work, succeeded, failed, cancelled, skipped))

struct OperationDocument {
  std::string id;
  std::string kind;     // tenant.create
  std::string subject;  // tenant/acme
  std::string state;    // queued, running, waiting, succeeded, failed, cancelled
  std::string step;
  std::uint32_t attempts = 0;
  std::optional<ErrorDocument> error;  // of the last failed attempt
  std::string actor;
  std::string created;
  std::string updated;
  std::optional<std::string> next_attempt;
  std::optional<std::string> clock_problem;  // why the time of next_attempt may not be the clock's
  std::optional<std::string> follow_up;  // an operation that it started: the check of a deployment
  // What it has made so far, by kind: an archive, a certificate, what a repair found.
  std::optional<base::json::object> result;
  std::optional<std::string> paused;        // since when it begins nothing
  std::optional<std::string> cancel_asked;  // since when it only waits for its children
  std::optional<std::string> parent;        // the operation that began it
  std::optional<ChildrenDocument> children;
  std::string revision;  // another one after every change; give it with ?wait to hear of the next
  std::vector<StepDocument> history;  // when one operation is asked for
  bool operator==(const OperationDocument&) const = default;
};
BOOST_DESCRIBE_STRUCT(OperationDocument, (),
                      (id, kind, subject, state, step, attempts, error, actor, created, updated,
                       next_attempt, clock_problem, follow_up, result, paused, cancel_asked, parent,
                       children, revision, history))

struct OperationList {
  std::vector<OperationDocument> items;  // newest first
  std::optional<std::string> next;
};
BOOST_DESCRIBE_STRUCT(OperationList, (), (items, next))

}  // namespace granary::api_wire
