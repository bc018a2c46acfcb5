#include "operation/rows.h"

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
    "updated, next_attempt FROM operation ";

std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
WallTime from_micros(std::int64_t count) { return WallTime(std::chrono::microseconds(count)); }

Value maybe_time(const std::optional<WallTime>& time) {
  return time ? Value(micros(*time)) : Value(std::monostate());
}
Value maybe_error(const std::optional<base::Error>& error) {
  return error ? Value(base::json::print(base::json::from_error(*error))) : Value(std::monostate());
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
  if (const auto next = row.maybe_integer(12)) operation.next_attempt = from_micros(*next);
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
  TRY(
      tx.exec("INSERT INTO operation (id, kind, subject, state, step, attempts, input, scratch, "
              "error, actor, idempotency_key, created, updated, next_attempt) VALUES "
              "(:1, :2, :3, :4, :5, :6, :7, :8, :9, :10, :11, :12, :13, :14)",
              {operation.id.value, operation.kind, operation.subject,
               std::string(to_string(operation.state)), operation.step,
               std::int64_t{operation.attempts}, base::json::print(operation.input),
               base::json::print(operation.scratch), maybe_error(operation.error), operation.actor,
               key.empty() ? Value(std::monostate()) : Value(key), micros(operation.created),
               micros(operation.updated), maybe_time(operation.next_attempt)}));
  return {};
}

Result<void> update(Transaction& tx, const Operation& operation) {
  TRY(tx.exec(
      "UPDATE operation SET state = :1, step = :2, attempts = :3, scratch = :4, "
      "error = :5, updated = :6, next_attempt = :7 WHERE id = :8",
      {std::string(to_string(operation.state)), operation.step, std::int64_t{operation.attempts},
       base::json::print(operation.scratch), maybe_error(operation.error),
       micros(operation.updated), maybe_time(operation.next_attempt), operation.id.value}));
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
