#include "store/soci_session.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include <cerrno>

#include "base/log.h"
#include "base/os/syscall.h"

namespace granary::store {
namespace {

using base::Code;
using base::Error;
using base::Result;
namespace log = base::log;

// A disk that is full shows itself as this too, where SQLite was not writing: making its index of
// the log, for one. `system_error` is the errno behind it.
bool is_no_room(int sqlite_code, int system_error) {
  const int primary = sqlite_code & 0xff;
  return (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN) &&
         (system_error == ENOSPC || system_error == EDQUOT);
}

Code code_of(int sqlite_code, int system_error) {
  if (is_no_room(sqlite_code, system_error)) return Code::NoRoom;
  switch (sqlite_code & 0xff) {
    case SQLITE_CONSTRAINT:
      return (sqlite_code == SQLITE_CONSTRAINT_UNIQUE ||
              sqlite_code == SQLITE_CONSTRAINT_PRIMARYKEY)
                 ? Code::AlreadyExists
                 : Code::Conflict;
    case SQLITE_FULL:
      return Code::NoRoom;
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

// Whether the caller's own data is the reason: for the caller to judge, not for the log.
bool is_of_the_caller(Code code) { return code == Code::AlreadyExists || code == Code::Conflict; }

// For people: what the database said. The statement stands in the log alone, and its values, which
// SOCI adds and which are the customer's, nowhere.
Error to_error(Code code, std::string_view words, std::string_view doing) {
  if (!is_of_the_caller(code)) log::error("the database: {}: {}", doing, words);
  Error error{code, fmt::format("the database: {}", words), {}, {}};
  if (code == Code::NoRoom) error.advice = base::os::kMakeRoom;
  return error;
}

// What was thrown while `doing`; call inside a catch block.
Error current_error(sqlite_api::sqlite3* connection, std::string_view doing) {
  try {
    throw;
  } catch (const soci::sqlite3_soci_error& error) {
    if (connection == nullptr)
      return to_error(code_of(error.result(), 0), sqlite_api::sqlite3_errstr(error.result()),
                      doing);
    // SOCI drops SQLite's extended code, so it is asked for again from the connection.
    return to_error(code_of(sqlite_api::sqlite3_extended_errcode(connection),
                            sqlite_api::sqlite3_system_errno(connection)),
                    sqlite_api::sqlite3_errmsg(connection), doing);
  } catch (const std::exception& error) {
    const std::string_view words = error.what();
    return to_error(Code::Internal, words.substr(0, words.find(" while ")), doing);
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

bool SociSession::in_transaction() const {
  const auto* backend = static_cast<const soci::sqlite3_session_backend*>(
      const_cast<soci::session&>(session_).get_backend());
  return sqlite_api::sqlite3_get_autocommit(backend->conn_) == 0;
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
