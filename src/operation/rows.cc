#include "operation/rows.h"

#include "base/check.h"
#include "operation/limits.h"

namespace granary::operation::rows {
namespace {

using base::Result;
using base::WallTime;
using store::Row;
using store::Transaction;
using store::Value;

constexpr std::size_t kMaxDocument = 1U << 20;
constexpr const char* kColumns =
    "SELECT id, kind, subject, state, step, attempts, input, scratch, error, actor, created, "
    "updated, next_attempt, result, follow_up, paused, cancel_asked, parent, children_total, "
    "children_begun, children_succeeded, children_failed, children_cancelled, children_skipped, "
    "children_forgiven FROM operation ";

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
WallTime from_micros(std::int64_t count) { return WallTime(std::chrono::microseconds(count)); }

Value maybe_time(const std::optional<WallTime>& time) {
  return time ? Value(micros(*time)) : Value(std::monostate());
}
Value maybe_error(const std::optional<base::Error>& error) {
  return error ? Value(base::json::print(base::json::from_error(*error))) : Value(std::monostate());
}

Value maybe_document(const std::optional<base::json::object>& document) {
  return document ? Value(base::json::print(*document)) : Value(std::monostate());
}
template <class Id>
Value maybe_id(const std::optional<Id>& id) {
  return id ? Value(id->value) : Value(std::monostate());
}
std::optional<WallTime> time_in(const Row& row, std::size_t column) {
  const auto count = row.maybe_integer(column);
  return count ? std::optional(from_micros(*count)) : std::nullopt;
}

// Of a row whose columns from `first` on are children_total to children_forgiven.
Children children_in(const Row& row, std::size_t first) {
  const auto number = [&](std::size_t offset) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(row.integer(first + offset), 0));
  };
  Children children{.begun = number(1),
                    .succeeded = number(2),
                    .failed = number(3),
                    .cancelled = number(4),
                    .skipped = number(5),
                    .forgiven = number(6)};
  if (row.maybe_integer(first)) children.total = number(0);
  return children;
}

Result<Operation> from_row(const Row& row) {
  Operation operation;
  operation.id = base::OperationId(row.text(0));
  operation.kind = row.text(1);
  operation.subject = row.text(2);
  TRY_ASSIGN(operation.state, state_from(row.text(3)));
  operation.step = row.text(4);
  operation.attempts = static_cast<std::uint32_t>(row.integer(5));
  TRY_ASSIGN(operation.input, base::json::parse_object(row.text(6), kMaxDocument));
  TRY_ASSIGN(operation.scratch, base::json::parse_object(row.text(7), kMaxDocument));
  if (const auto error = row.maybe_text(8)) {
    TRY_ASSIGN(const auto document, base::json::parse_object(*error, kMaxDocument));
    operation.error = base::json::to_error(document);
  }
  operation.actor = row.text(9);
  operation.created = from_micros(row.integer(10));
  operation.updated = from_micros(row.integer(11));
  operation.next_attempt = time_in(row, 12);
  if (const auto result = row.maybe_text(13)) {
    TRY_ASSIGN(operation.result, base::json::parse_object(*result, kMaxDocument));
  }
  if (const auto other = row.maybe_text(14)) operation.follow_up = base::OperationId(*other);
  operation.paused = time_in(row, 15);
  operation.cancel_asked = time_in(row, 16);
  if (const auto parent = row.maybe_text(17)) operation.parent = base::OperationId(*parent);
  operation.children = children_in(row, 18);
  return operation;
}

Result<std::vector<Operation>> from_rows(const std::vector<Row>& rows) {
  std::vector<Operation> operations;
  operations.reserve(rows.size());
  for (const Row& row : rows) {
    TRY_ASSIGN(auto operation, from_row(row));
    operations.push_back(std::move(operation));
  }
  return operations;
}

Result<std::optional<Operation>> first(const std::vector<Row>& rows) {
  if (rows.empty()) return std::nullopt;
  TRY_ASSIGN(auto operation, from_row(rows.front()));
  return operation;
}

}  // namespace

Result<void> insert(Transaction& tx, const Operation& operation, const std::string& key) {
  TRY(tx.exec(
      "INSERT INTO operation (id, kind, subject, state, step, attempts, input, scratch, "
      "error, actor, idempotency_key, created, updated, next_attempt, parent) VALUES "
      "(:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, :13, :14, :15)",
      {operation.id.value, operation.kind, operation.subject,
       std::string(to_string(operation.state)), operation.step, std::int64_t{operation.attempts},
       base::json::print(operation.input), base::json::print(operation.scratch),
       maybe_error(operation.error), operation.actor,
       key.empty() ? Value(std::monostate()) : Value(key), micros(operation.created),
       micros(operation.updated), maybe_time(operation.next_attempt), maybe_id(operation.parent)}));
  return {};
}

Result<void> update(Transaction& tx, const Operation& operation) {
  TRY(tx.exec(
      "UPDATE operation SET state = :1, step = :2, attempts = :3, scratch = :4, "
      "error = :5, updated = :6, next_attempt = :7, result = :8, follow_up = :9 WHERE id = :10",
      {std::string(to_string(operation.state)), operation.step, std::int64_t{operation.attempts},
       base::json::print(operation.scratch), maybe_error(operation.error),
       micros(operation.updated), maybe_time(operation.next_attempt),
       maybe_document(operation.result), maybe_id(operation.follow_up), operation.id.value}));
  // Nothing is asked of one that has ended.
  if (is_final(operation.state))
    TRY(
        tx.exec("UPDATE operation SET paused = NULL, cancel_asked = NULL WHERE id = :1 AND "
                "(paused IS NOT NULL OR cancel_asked IS NOT NULL)",
                {operation.id.value}));
  return {};
}

Result<std::optional<Operation>> find(Transaction& tx, const std::string& id) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "WHERE id = :1", {id}));
  return first(rows);
}

Result<std::optional<Operation>> find_by_key(Transaction& tx, const std::string& key) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) + "WHERE idempotency_key = :1", {key}));
  return first(rows);
}

Result<std::vector<Operation>> list(Transaction& tx, const Engine::Filter& filter) {
  std::string sql = std::string(kColumns) + "WHERE id < :1";
  std::vector<Value> parameters = {filter.after.empty() ? std::string("~") : filter.after};
  if (!filter.subject.empty()) {
    parameters.emplace_back(filter.subject);
    sql += fmt::format(" AND subject = :{}", parameters.size());
  }
  if (!filter.kind.empty()) {
    parameters.emplace_back(filter.kind);
    sql += fmt::format(" AND kind = :{}", parameters.size());
  }
  if (!filter.parent.empty()) {
    parameters.emplace_back(filter.parent);
    sql += fmt::format(" AND parent = :{}", parameters.size());
  }
  if (filter.state) {
    parameters.emplace_back(std::string(to_string(*filter.state)));
    sql += fmt::format(" AND state = :{}", parameters.size());
  }
  sql += fmt::format(" ORDER BY id DESC LIMIT {}", std::min(filter.limit, kMaxPage));
  TRY_ASSIGN(const auto rows, tx.exec(sql, std::move(parameters)));
  return from_rows(rows);
}

Result<std::optional<Operation>> unfinished_of(Transaction& tx, const std::string& subject) {
  TRY_ASSIGN(const auto rows, tx.exec(std::string(kColumns) +
                                          "WHERE subject = :1 AND state IN ('queued', 'running', "
                                          "'waiting') ORDER BY id LIMIT 1",
                                      {subject}));
  return first(rows);
}

Result<Progress> progress(Transaction& tx, const std::string& parent) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT children_total, children_begun, children_succeeded, children_failed, "
                     "children_cancelled, children_skipped, children_forgiven, children_mark, "
                     "children_again FROM operation WHERE id = :1",
                     {parent}));
  INVARIANT(!rows.empty());
  const Row& row = rows.front();
  return Progress{.children = children_in(row, 0), .mark = row.text(7), .again = row.maybe_text(8)};
}

Result<bool> move_mark(Transaction& tx, const std::string& parent, const std::string& after,
                       const std::string& mark, Begun begun) {
  const char* counted = begun == Begun::Yes ? "children_begun" : "children_skipped";
  TRY(tx.exec(fmt::format("UPDATE operation SET children_mark = :1, {0} = {0} + 1 "
                          "WHERE id = :2 AND children_mark = :3",
                          counted),
              {mark, parent, after}));
  return tx.changed() == 1;
}

Result<void> count_ended_child(Transaction& tx, const std::string& parent, State state) {
  INVARIANT(is_final(state));
  TRY(tx.exec(fmt::format("UPDATE operation SET children_{0} = children_{0} + 1 WHERE id = :1",
                          to_string(state)),
              {parent}));
  return {};
}

Result<void> count_requeued_child(Transaction& tx, const std::string& parent) {
  TRY(
      tx.exec("UPDATE operation SET children_failed = children_failed - 1, children_forgiven = "
              "CASE WHEN children_forgiven > children_failed - 1 THEN children_failed - 1 "
              "ELSE children_forgiven END WHERE id = :1",
              {parent}));
  return {};
}

Result<void> requeue_parent(Transaction& tx, const std::string& parent) {
  TRY(
      tx.exec("UPDATE operation SET children_forgiven = children_failed, paused = NULL, "
              "cancel_asked = NULL, "
              "children_again = CASE WHEN children_failed > 0 THEN '' ELSE NULL END WHERE id = :1",
              {parent}));
  return {};
}

Result<void> set_again(Transaction& tx, const std::string& parent,
                       const std::optional<std::string>& child) {
  TRY(tx.exec("UPDATE operation SET children_again = :1 WHERE id = :2",
              {child ? Value(*child) : Value(std::monostate()), parent}));
  return {};
}

Result<void> forgive_one_less(Transaction& tx, const std::string& parent) {
  TRY(
      tx.exec("UPDATE operation SET children_forgiven = children_forgiven - 1 "
              "WHERE id = :1 AND children_forgiven > 0",
              {parent}));
  return {};
}

Result<std::vector<std::string>> failed_children(Transaction& tx, const std::string& parent,
                                                 const std::string& after, std::uint32_t limit) {
  TRY_ASSIGN(const auto rows,
             tx.exec(fmt::format("SELECT id FROM operation WHERE parent = :1 AND state = 'failed' "
                                 "AND id > :2 ORDER BY id LIMIT {}",
                                 limit),
                     {parent, after}));
  std::vector<std::string> ids;
  for (const Row& row : rows) ids.push_back(row.text(0));
  return ids;
}

Result<void> set_total(Transaction& tx, const std::string& parent, std::uint64_t total) {
  TRY(tx.exec("UPDATE operation SET children_total = :1 WHERE id = :2",
              {static_cast<std::int64_t>(total), parent}));
  return {};
}

Result<void> set_paused(Transaction& tx, const std::string& id,
                        const std::optional<WallTime>& since) {
  TRY(tx.exec("UPDATE operation SET paused = :1 WHERE id = :2", {maybe_time(since), id}));
  return {};
}

Result<void> set_cancel_asked(Transaction& tx, const std::string& id, WallTime at) {
  TRY(tx.exec("UPDATE operation SET cancel_asked = :1 WHERE id = :2", {micros(at), id}));
  return {};
}

Result<std::vector<Operation>> unfinished(Transaction& tx) {
  TRY_ASSIGN(const auto rows,
             tx.exec(std::string(kColumns) +
                     "WHERE state IN ('queued', 'running', 'waiting') ORDER BY id"));
  return from_rows(rows);
}

Result<void> begin_step(Transaction& tx, const Operation& operation, WallTime now) {
  TRY(end_step(tx, operation.id, "interrupted", "", now));
  TRY(
      tx.exec("INSERT INTO operation_step (operation, number, step, attempt, started, outcome, "
              "detail) VALUES (:1, (SELECT coalesce(max(number), 0) + 1 FROM operation_step "
              "WHERE operation = :1), :2, :3, :4, 'running', '')",
              {operation.id.value, operation.step, std::int64_t{operation.attempts}, micros(now)}));
  TRY(
      tx.exec("DELETE FROM operation_step WHERE operation = :1 AND number <= "
              "(SELECT max(number) FROM operation_step WHERE operation = :1) - :2",
              {operation.id.value, kMaxHistory}));
  return {};
}

Result<void> end_step(Transaction& tx, const base::OperationId& id, const std::string& outcome,
                      const std::string& detail, WallTime now) {
  TRY(
      tx.exec("UPDATE operation_step SET ended = :1, outcome = :2, detail = :3 "
              "WHERE operation = :4 AND ended IS NULL",
              {micros(now), outcome, detail, id.value}));
  return {};
}

Result<std::vector<StepRecord>> history(Transaction& tx, const std::string& id) {
  TRY_ASSIGN(const auto rows,
             tx.exec("SELECT step, attempt, started, ended, outcome, detail FROM operation_step "
                     "WHERE operation = :1 ORDER BY number",
                     {id}));
  std::vector<StepRecord> records;
  for (const Row& row : rows) {
    StepRecord record;
    record.step = row.text(0);
    record.attempt = static_cast<std::uint32_t>(row.integer(1));
    record.started = from_micros(row.integer(2));
    if (const auto ended = row.maybe_integer(3)) record.ended = from_micros(*ended);
    record.outcome = row.text(4);
    record.detail = row.text(5);
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace granary::operation::rows
