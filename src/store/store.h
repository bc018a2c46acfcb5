// The database of the control plane: transactions over SQLite (later PostgreSQL) through SOCI.
// What callers give to write() runs on a worker of one thread, one after another, and queued ones
// share one durable commit (group commit, each in a savepoint of its own); reads run beside it on
// a connection of their own. Resolves on the caller's executor. SOCI and its exceptions do not
// leave this room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/async.h"
#include "base/result.h"
#include "base/worker.h"

namespace granary::store {

// NULL, a 64-bit integer or a text (UTF-8). Times are microseconds since 1970 as integers.
using Value = std::variant<std::monostate, std::int64_t, std::string>;

// Thrown where a stored value is not of the kind that it was written as: somebody changed the file.
// Ends the transaction's work, which fails with DataLoss.
class DamagedRow final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Row final {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  // That the column exists is an invariant: the statement is our own. Throw DamagedRow where it
  // holds another kind.
  std::int64_t integer(std::size_t column) const;
  const std::string& text(std::size_t column) const;
  std::optional<std::int64_t> maybe_integer(std::size_t column) const;
  std::optional<std::string> maybe_text(std::size_t column) const;

 private:
  std::vector<Value> values_;
};

class Transaction {
 public:
  virtual ~Transaction() = default;
  // Runs one statement whose placeholders :1, :2, ... are `parameters` in order. Errors:
  // AlreadyExists (a unique key), Conflict (another constraint), NoRoom (disk full), DataLoss
  // (damaged file), Internal. None names the statement: it may be shown to somebody.
  virtual base::Result<std::vector<Row>> exec(std::string_view sql,
                                              std::vector<Value> parameters = {}) = 0;
  // Rows changed by the last exec().
  virtual std::int64_t changed() const = 0;
};

using Work = std::function<base::Result<void>(Transaction&)>;

class Store {
 public:
  virtual ~Store() = default;
  // Runs `work` in a transaction and resolves once it is durable. An error of `work` rolls back
  // all it did and is returned; so does an exception (DataLoss). `work` runs on the store's thread:
  // it captures values, or references that outlive the wait, and touches nothing of the caller's
  // executor.
  virtual base::Task<base::Result<void>> write(Work work) = 0;
  // The same without a durable commit, seeing all that was written before; must not change rows.
  virtual base::Task<base::Result<void>> read(Work work) = 0;
};

// A numbered step of the schema; never edited once released.
struct Migration {
  int number;
  std::string_view name;
  std::vector<std::string_view> statements;
};
// All migrations of the product in order (store/schema.cc).
const std::vector<Migration>& migrations();

struct SqliteOptions {
  std::string path;
  // Full: a committed write survives a power cut. Normal: it survives a crash of the program.
  enum class Durability { Full, Normal } durability = Durability::Full;
};
// Each runs one piece of work at a time, in order; both outlive the store, and no call is under
// way any more when the store is destroyed.
struct Workers {
  base::Worker& writer;
  base::Worker& reader;
};
// Opens the file, brings the schema up to date with `schema`. Blocks; for the start of a program.
// Errors: DataLoss (not a database, or a newer schema than this program knows), NoRoom, Refused.
base::Result<std::unique_ptr<Store>> open_sqlite(SqliteOptions options, Workers workers,
                                                 const std::vector<Migration>& schema);

}  // namespace granary::store
