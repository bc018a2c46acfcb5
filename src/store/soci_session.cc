#include "store/soci_session.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include <deque>

namespace granary::store {
namespace {

using base::Code;
using base::Error;
using base::Result;

Code code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT:
      return (sqlite_code == SQLITE_CONSTRAINT_UNIQUE ||
              sqlite_code == SQLITE_CONSTRAINT_PRIMARYKEY)
                 ? Code::AlreadyExists
                 : Code::Conflict;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return Code::Exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::DataLoss;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::Unavailable;
    default:  // SQLITE_CANTOPEN and its like too: this machine's fault, not the caller's
      return Code::Internal;
  }
}

// What the database said, without the statement and its values that SOCI adds: they are the
// customer's, and this may be shown to somebody.
std::string words_of(const std::exception& error) {
  const std::string_view words = error.what();
  return std::string(words.substr(0, words.find(" while ")));
}

// What was thrown while `doing`; call inside a catch block.
Error current_error(sqlite_api::sqlite3* connection, std::string_view doing) {
  // SOCI drops SQLite's extended code, so it is asked for again from the connection.
  const int code =
      connection == nullptr ? SQLITE_ERROR : sqlite_api::sqlite3_extended_errcode(connection);
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    const Code known = connection == nullptr ? code_of(error.result()) : code_of(code);
    return Error{known, fmt::format("the database: {}: {}", doing, words_of(error)), {}, {}};
  } catch (const std::exception& error) {
    return Error{
        Code::Internal, fmt::format("the database: {}: {}", doing, words_of(error)), {}, {}};
  }
}

Value column(const soci::row& row, std::size_t index) {
  if (row.get_indicator(index) == soci::i_null) return std::monostate();
  switch (row.get_properties(index).get_data_type()) {
    case soci::dt_integer:
      return std::int64_t{row.get<int>(index)};
    case soci::dt_long_long:
      return std::int64_t{row.get<long long>(index)};
    case soci::dt_unsigned_long_long:
      return static_cast<std::int64_t>(row.get<unsigned long long>(index));
    case soci::dt_double:
      return static_cast<std::int64_t>(row.get<double>(index));
    case soci::dt_string:
    case soci::dt_date:
    case soci::dt_blob:
    case soci::dt_xml:
      break;
  }
  return row.get<std::string>(index);
}

bool returns_rows(std::string_view sql) {
  return sql.starts_with("SELECT") || sql.starts_with("PRAGMA") || sql.starts_with("WITH") ||
         sql.find(" RETURNING ") != std::string_view::npos;
}

// Parameters in a form that SOCI can point at until the statement has run.
struct Bound {
  std::deque<long long> integers;
  std::deque<std::string> texts;
  std::deque<soci::indicator> indicators;

  void bind(soci::statement& statement, std::vector<Value>& parameters) {
    int number = 0;
    for (Value& parameter : parameters) {
      const std::string name = std::to_string(++number);
      if (auto* integer = std::get_if<std::int64_t>(&parameter)) {
        statement.exchange(soci::use(integers.emplace_back(*integer), name));
      } else if (auto* text = std::get_if<std::string>(&parameter)) {
        statement.exchange(soci::use(texts.emplace_back(std::move(*text)), name));
      } else {
        statement.exchange(
            soci::use(texts.emplace_back(), indicators.emplace_back(soci::i_null), name));
      }
    }
  }
};

}  // namespace

Result<std::unique_ptr<SociSession>> SociSession::open(const SqliteOptions& options) {
  std::unique_ptr<SociSession> session(new SociSession);
  TRY(session->connect(options));
  const bool full = options.durability == SqliteOptions::Durability::Full;
  for (const std::string& pragma :
       {std::string("PRAGMA journal_mode = WAL"), std::string("PRAGMA foreign_keys = ON"),
        std::string("PRAGMA busy_timeout = 5000"),
        std::string("PRAGMA temp_store = MEMORY"),  // control may write to its own folder alone
        std::string("PRAGMA cache_size = -2048"),   // KiB: control's memory is budgeted
        fmt::format("PRAGMA synchronous = {}", full ? "FULL" : "NORMAL")}) {
    TRY(session->exec(pragma, {}));
  }
  return session;
}

Result<void> SociSession::connect(const SqliteOptions& options) {
  try {
    session_.open(soci::sqlite3, fmt::format("db={} timeout=5", options.path));
    return {};
  } catch (...) {
    return std::unexpected(current_error(nullptr, "open " + options.path));
  }
}

Result<std::vector<Row>> SociSession::exec(std::string_view sql, std::vector<Value> parameters) {
  auto* backend = static_cast<soci::sqlite3_session_backend*>(session_.get_backend());
  try {
    std::vector<Row> rows;
    soci::statement statement(session_);
    soci::row row;
    Bound bound;
    const bool fetch = returns_rows(sql);
    if (fetch) statement.exchange(soci::into(row));
    bound.bind(statement, parameters);
    statement.alloc();
    statement.prepare(std::string(sql));
    statement.define_and_bind();
    bool more = statement.execute(true);
    changed_ = statement.get_affected_rows();
    for (; fetch && more; more = statement.fetch()) {
      std::vector<Value> values;
      values.reserve(row.size());
      for (std::size_t i = 0; i < row.size(); ++i) values.push_back(column(row, i));
      rows.emplace_back(std::move(values));
    }
    return rows;
  } catch (...) {
    return std::unexpected(current_error(backend->conn_, sql));
  }
}

}  // namespace granary::store
