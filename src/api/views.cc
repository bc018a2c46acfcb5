#include "api/views.h"

#include "base/hash.h"

namespace granary::api {
namespace {

std::optional<std::string> time_or_nothing(const std::optional<base::WallTime>& time) {
  if (!time) return std::nullopt;
  return base::to_rfc3339(*time);
}

std::optional<std::string> release_name(const ReleaseNames& names, const std::string& hash) {
  if (hash.empty()) return std::nullopt;
  const auto found = names.find(hash);
  return found == names.end() ? hash : found->second;
}

}  // namespace

base::Result<ReleaseNames> release_names(store::Transaction& tx,
                                         const std::vector<registry::Account>& accounts) {
  ReleaseNames names;
  for (const registry::Account& account : accounts) {
    for (const std::string& hash : {account.actual_release, account.desired_release}) {
      if (hash.empty() || names.contains(hash)) continue;
      TRY_ASSIGN(const auto release, registry::get_release_by_hash(tx, hash));
      names.emplace(hash, release.id.value);
    }
  }
  return names;
}

api_wire::TenantDocument tenant_document(const registry::Account& account,
                                         const ReleaseNames& names, const PublicAddress& gateway,
                                         base::WallTime now) {
  api_wire::TenantDocument document;
  document.id = account.id.value;
  document.name = account.name;
  document.kind = to_string(account.kind);
  document.plan = account.plan;
  document.cloud = account.cloud;
  document.state = to_string(account.state);
  document.health = to_string(account.health);
  document.health_detail = account.health_detail;
  document.url = fmt::format("{}://{}.{}", gateway.scheme, account.id.value, gateway.host);
  document.release = release_name(names, account.actual_release);
  document.desired_release = release_name(names, account.desired_release);
  document.version = account.version;
  document.isolation = account.isolation;
  document.domains = account.domains;
  document.discovery = account.discovery;
  document.pinned = registry::is_pinned(account, now);
  if (document.pinned) document.pinned_until = time_or_nothing(account.pinned_until);
  document.labels = account.labels;
  document.settings = account.settings;
  document.created = base::to_rfc3339(account.created);
  document.updated = base::to_rfc3339(account.updated);
  return document;
}

api_wire::DomainClaimDocument claim_document(const registry::DomainClaim& claim) {
  return {claim.account.value,  claim.domain,
          claim.token,          fmt::format("{}.{}", lifecycle::kTxtLabel, claim.domain),
          lifecycle::kHttpPath, base::to_rfc3339(claim.created)};
}

api_wire::ServiceDocument service_document(const cloud::ServiceStatus& service) {
  return {service.name, service.phase, service.last_failure, service.memory_bytes, service.wakes};
}

api_wire::ReleaseDocument release_document(const registry::Release& release) {
  return {release.id.value,
          release.hash,
          release.app,
          release.bytes,
          release.files,
          release.actor,
          base::to_rfc3339(release.created),
          std::nullopt};
}

namespace {

std::optional<api_wire::ChildrenDocument> children_document(const operation::Children& children) {
  if (children == operation::Children()) return std::nullopt;
  return api_wire::ChildrenDocument{.total = children.total,
                                    .at_work = operation::count_open(children),
                                    .succeeded = children.succeeded,
                                    .failed = children.failed,
                                    .cancelled = children.cancelled,
                                    .skipped = children.skipped};
}

}  // namespace

std::string revision_of(const operation::Operation& operation) {
  const auto updated = operation.updated.time_since_epoch().count();
  const auto children = operation::to_text(operation.children);
  return fmt::format(
      "{:016x}",
      base::spread_hash(fmt::format(
          "{} {} {} {} {} {} {}", to_string(operation.state), operation.step, operation.attempts,
          updated, children, operation.paused.has_value(), operation.cancel_asked.has_value())));
}

api_wire::FailureDocument failure_document(const operation::Operation& operation) {
  api_wire::FailureDocument document;
  document.operation = operation.id.value;
  document.kind = operation.kind;
  document.step = operation.step;
  document.state = to_string(operation.state);
  document.message = "it was called off";
  document.advice = fmt::format("See granary operation show {}", operation.id.value);
  if (operation.error) {
    document.message = operation.error->message;
    document.advice = operation.error->advice;
  }
  document.when = base::to_rfc3339(operation.updated);
  return document;
}

api_wire::OperationDocument operation_document(const operation::Operation& operation) {
  api_wire::OperationDocument document;
  document.id = operation.id.value;
  document.kind = operation.kind;
  document.subject = operation.subject;
  document.state = to_string(operation.state);
  document.step = operation.step;
  document.attempts = operation.attempts;
  if (operation.error) {
    const base::Error& error = *operation.error;
    document.error = api_wire::ErrorDocument{std::string(base::to_string(error.code)),
                                             error.message, error.advice, error.context};
  }
  document.actor = operation.actor;
  document.created = base::to_rfc3339(operation.created);
  document.updated = base::to_rfc3339(operation.updated);
  if (operation.follow_up) document.follow_up = operation.follow_up->value;
  document.result = operation.result;
  document.paused = time_or_nothing(operation.paused);
  document.cancel_asked = time_or_nothing(operation.cancel_asked);
  if (operation.parent) document.parent = operation.parent->value;
  document.children = children_document(operation.children);
  if (const auto* warnings = base::json::find_array(operation.scratch, "warnings")) {
    for (const auto& warning : *warnings)
      if (warning.is_string()) document.warnings.emplace_back(warning.get_string());
  }
  document.next_attempt = time_or_nothing(operation.next_attempt);
  document.revision = revision_of(operation);
  return document;
}

api_wire::StepDocument step_document(const operation::StepRecord& record) {
  return {record.step,
          record.attempt,
          base::to_rfc3339(record.started),
          time_or_nothing(record.ended),
          record.outcome,
          record.detail};
}

api_wire::TokenDocument token_document(const registry::Token& token) {
  return {token.id,
          std::string(to_string(token.role)),
          token.label,
          base::to_rfc3339(token.created),
          time_or_nothing(token.expires),
          time_or_nothing(token.revoked),
          std::nullopt};
}

}  // namespace granary::api
