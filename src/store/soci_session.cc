#include "store/soci_session.h"

#include <soci/sqlite3/soci-sqlite3.h>

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
    Statement& statement = statements_.get(sql, parameters);
    std::vector<Row> rows = statement.run(parameters);
    changed_ = statement.changed();
    return rows;
  } catch (...) {
    Error error = current_error(backend->conn_, sql);
    statements_.forget(sql, parameters);
    return std::unexpected(std::move(error));
  }
}

}  // namespace granary::store
