// One SOCI connection to SQLite behind the Transaction interface. The only header that sees SOCI;
// included by this room alone. Used by one thread at a time.
#pragma once

#include <soci/soci.h>

#include "store/statement.h"
#include "store/store.h"

namespace granary::store {

class SociSession final : public Transaction {
 public:
  static base::Result<std::unique_ptr<SociSession>> open(const SqliteOptions& options);

  base::Result<std::vector<Row>> exec(std::string_view sql, std::vector<Value> parameters) override;
  std::int64_t changed() const override { return changed_; }
  // False also when SQLite has rolled back by itself, as it may on a full disk.
  bool in_transaction() const;

 private:
  SociSession() = default;
  base::Result<void> connect(const SqliteOptions& options);

  soci::session session_;
  StatementCache statements_{session_};
  std::int64_t changed_ = 0;
};

}  // namespace granary::store
