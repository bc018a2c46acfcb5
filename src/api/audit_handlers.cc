#include "api/handlers.h"
#include "api/limits.h"
#include "api/wire/platform_documents.h"
#include "registry/audit.h"

// Who changed what, and whether the log of it is whole.
namespace granary::api {

using base::Code;
using base::Result;
using registry::AuditEntry;
using registry::AuditHead;
using store::Transaction;

namespace {

api_wire::AuditEntryDocument entry_document(AuditEntry entry) {
  return {entry.number,
          base::to_rfc3339(entry.at),
          std::move(entry.actor),
          std::move(entry.action),
          std::move(entry.subject),
          std::move(entry.before),
          std::move(entry.after),
          std::move(entry.hash),
          std::move(entry.previous)};
}

// An earlier end of the log that the caller kept; nothing where none is given.
Result<std::optional<AuditHead>> known_head(const Request& request) {
  const std::string hash = request.query_or("hash", "");
  if (!request.query.contains("number") && hash.empty()) return std::nullopt;
  TRY_ASSIGN(const std::uint64_t number, query_number(request, "number", 0));
  const bool hex = hash.size() == 64 && std::ranges::all_of(hash, [](char c) {
                     return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                   });
  if (number < 1 || number > std::numeric_limits<std::int64_t>::max() || !hex)
    return base::fail_with_advice(Code::InvalidArgument,
                                  "a head is a number above 0 and a hash of 64 hex digits",
                                  "Give number and hash as granary audit --head printed them");
  return AuditHead{static_cast<std::int64_t>(number), hash};
}

}  // namespace

Answer list_audit(Context& context, Request request) {
  CO_TRY_ASSIGN(const std::uint32_t limit, page_limit(request));
  registry::AuditFilter filter{.subject = request.query_or("subject", ""), .limit = limit + 1};
  CO_TRY_ASSIGN(const std::uint64_t after, query_number(request, "after", 0));
  filter.after = static_cast<std::int64_t>(
      std::min<std::uint64_t>(after, std::numeric_limits<std::int64_t>::max()));
  if (request.query.contains("since")) {
    CO_TRY_ASSIGN(filter.since, moment_of("since", request.query.at("since"),
                                          context.parts.clock.wall(), Direction::Ago));
  }
  std::vector<AuditEntry> entries;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(entries, registry::list_audit(tx, filter));
    return {};
  }));
  api_wire::AuditList page;
  cut_page(page, entries, limit,
           [](const AuditEntry& entry) { return std::to_string(entry.number); });
  for (AuditEntry& entry : entries) page.items.push_back(entry_document(std::move(entry)));
  co_return answer(page);
}

Answer check_audit(Context& context, Request request) {
  CO_TRY_ASSIGN(const auto known, known_head(request));
  if (context.metrics.audit_checks >= kMaxAuditChecks)
    co_return base::fail_with_advice(Code::Exhausted, "the log is being checked already",
                                     "Try again in a moment");
  const Counted counted(context.metrics.audit_checks);
  registry::AuditCheck check;
  CO_TRY(co_await context.parts.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(check, registry::verify_audit(tx, known));
    return {};
  }));
  api_wire::AuditCheckDocument document;
  document.entries = check.entries;
  document.head = {check.head.number, check.head.hash};
  if (!check.problem.empty()) document.problem = check.problem;
  co_return answer(document);
}

}  // namespace granary::api
