#include "registry/audit.h"

#include <algorithm>

#include "base/hash.h"
#include "registry/limits.h"

namespace granary::registry {
namespace {

using base::Code;
using base::Result;
using base::WallTime;
using base::json::object;
using store::Row;
using store::Transaction;

constexpr std::size_t kMaxDocument = 1U << 20;
const std::string kNoPrevious(64, '0');
constexpr std::string_view kColumns =
    "SELECT number, at, actor, action, subject, before, after, previous, hash FROM audit ";

// As stored: the texts themselves are hashed, so that no printing of JSON has to be stable.
struct StoredEntry {
  std::int64_t number = 0;
  std::int64_t at = 0;
  std::string actor;
  std::string action;
  std::string subject;
  std::string before;
  std::string after;
  std::string previous;
};

// Each text with its length before it: no two entries make the same bytes.
std::string hash_of(const StoredEntry& entry) {
  std::string bytes = fmt::format("granary audit 1\n{}\n{}\n", entry.number, entry.at);
  for (const std::string* text :
       {&entry.actor, &entry.action, &entry.subject, &entry.before, &entry.after, &entry.previous})
    bytes += fmt::format("{}:{}\n", text->size(), *text);
  return base::sha256_hex(bytes);
}

StoredEntry stored_entry(const Row& row) {
  return {row.integer(0), row.integer(1), row.text(2), row.text(3),
          row.text(4),    row.text(5),    row.text(6), row.text(7)};
}

Result<AuditEntry> entry_of(const Row& row) {
  AuditEntry entry;
  entry.number = row.integer(0);
  entry.at = WallTime(std::chrono::microseconds(row.integer(1)));
  entry.actor = row.text(2);
  entry.action = row.text(3);
  entry.subject = row.text(4);
  TRY_ASSIGN(entry.before, base::json::parse_object(row.text(5), kMaxDocument));
  TRY_ASSIGN(entry.after, base::json::parse_object(row.text(6), kMaxDocument));
  entry.previous = row.text(7);
  entry.hash = row.text(8);
  return entry;
}

// Both documents without the members that are equal in both.
void keep_changes(object& before, object& after) {
  std::vector<std::string> equal;
  for (const auto& member : before) {
    const auto* other = after.if_contains(member.key());
    if (other != nullptr && *other == member.value()) equal.emplace_back(member.key());
  }
  for (const std::string& name : equal) {
    before.erase(name);
    after.erase(name);
  }
}

// What is wrong with this row, given the end of the chain before it; empty: nothing.
std::string problem_of(const Row& row, const AuditHead& before) {
  const StoredEntry entry = stored_entry(row);
  if (entry.number != before.number + 1)
    return fmt::format("entry {} is missing", before.number + 1);
  if (entry.previous != (before.number == 0 ? kNoPrevious : before.hash))
    return fmt::format("entry {} does not follow entry {}", entry.number, before.number);
  if (hash_of(entry) != row.text(8)) return fmt::format("entry {} was changed", entry.number);
  return "";
}

}  // namespace

Result<AuditHead> audit_head(Transaction& tx) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1"));
  if (rows.empty()) return AuditHead{0, kNoPrevious};
  return AuditHead{rows.front().integer(0), rows.front().text(1)};
}

Result<AuditEntry> append_audit(Transaction& tx, AuditChange change, WallTime now) {
  TRY_ASSIGN(const AuditHead head, audit_head(tx));
  keep_changes(change.before, change.after);
  const StoredEntry entry{.number = head.number + 1,
                          .at = now.time_since_epoch().count(),
                          .actor = change.actor,
                          .action = change.action,
                          .subject = change.subject,
                          .before = base::json::print(change.before),
                          .after = base::json::print(change.after),
                          .previous = head.hash};
  AuditEntry made{.number = entry.number,
                  .at = now,
                  .actor = std::move(change.actor),
                  .action = std::move(change.action),
                  .subject = std::move(change.subject),
                  .before = std::move(change.before),
                  .after = std::move(change.after),
                  .previous = head.hash,
                  .hash = hash_of(entry)};
  TRY(
      tx.exec("INSERT INTO audit (number, at, actor, action, subject, before, after, previous, "
              "hash) VALUES (:1, :2, :3, :4, :5, :6, :7, :8, :9)",
              {entry.number, entry.at, entry.actor, entry.action, entry.subject, entry.before,
               entry.after, entry.previous, made.hash}));
  return made;
}

Result<std::vector<AuditEntry>> list_audit(Transaction& tx, const AuditFilter& filter) {
  std::string where = "WHERE number > :1";
  std::vector<store::Value> parameters = {filter.after};
  if (!filter.subject.empty()) {
    parameters.emplace_back(filter.subject);
    where += fmt::format(" AND subject = :{}", parameters.size());
  }
  if (filter.since) {
    parameters.emplace_back(std::int64_t{filter.since->time_since_epoch().count()});
    where += fmt::format(" AND at >= :{}", parameters.size());
  }
  where += fmt::format(" ORDER BY number LIMIT {}", std::min(filter.limit, kMaxPage));
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + where, std::move(parameters)));
  std::vector<AuditEntry> entries;
  for (const Row& row : rows) {
    TRY_ASSIGN(AuditEntry entry, entry_of(row));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<AuditCheck> verify_audit(Transaction& tx, const std::optional<AuditHead>& known) {
  AuditCheck check;
  check.head = {0, kNoPrevious};
  bool met = !known || known->number == 0;
  for (;;) {
    TRY_ASSIGN(const auto rows,
               tx.exec(std::string(kColumns) +
                           fmt::format("WHERE number > :1 ORDER BY number LIMIT {}", kMaxPage),
                       {check.head.number}));
    for (const Row& row : rows) {
      check.problem = problem_of(row, check.head);
      if (!check.problem.empty()) return check;
      check.head = {row.integer(0), row.text(8)};
      ++check.entries;
      if (known && check.head.number == known->number) {
        met = check.head == *known;
        if (!met) check.problem = fmt::format("entry {} is not the one that was", known->number);
        if (!met) return check;
      }
    }
    if (rows.size() < kMaxPage) break;
  }
  if (!met) check.problem = fmt::format("the log ends before entry {}", known->number);
  return check;
}

}  // namespace granary::registry
