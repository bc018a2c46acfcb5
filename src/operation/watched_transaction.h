// A transaction that remembers whether the store itself failed in it, as with a full disk: such a
// write is tried again, whereas what the caller's work refuses is refused. Lives within one Work.
#pragma once

#include "store/store.h"

namespace granary::operation {

class WatchedTransaction final : public store::Transaction {
 public:
  explicit WatchedTransaction(store::Transaction& inner) : inner_(inner) {}

  base::Result<std::vector<store::Row>> exec(std::string_view sql,
                                             std::vector<store::Value> parameters) override {
    auto result = inner_.exec(sql, std::move(parameters));
    // A broken constraint is an answer about the data, not about the store.
    const bool answered = result || result.error().code == base::Code::AlreadyExists ||
                          result.error().code == base::Code::Conflict;
    store_failed_ |= !answered;
    return result;
  }
  std::int64_t changed() const override { return inner_.changed(); }
  bool store_failed() const { return store_failed_; }

 private:
  store::Transaction& inner_;
  bool store_failed_ = false;
};

}  // namespace granary::operation
