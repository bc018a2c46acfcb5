// A store between control and the real one that fails as a disk, a database server or SIGKILL
// makes it fail: before a write, inside it, after it was durable but before its answer. What
// fails is chosen by the test. kill() cuts a control plane off: nothing of it reaches the store
// any more, whatever its coroutines still do. Lives on the world's one executor.
#pragma once

#include <functional>
#include <limits>

#include "store/store.h"

namespace granary::store::testing {

// What becomes of one call.
enum class Fate {
  Done,
  FailBefore,   // an error, and nothing is written
  FailInside,   // a statement fails: nothing is written
  LoseAnswer,   // it is durable, and the caller gets an error
  CrashBefore,  // control dies, and nothing is written
  CrashInside,  // control dies when all is done but the commit
  CrashAfter,   // it is durable, and control dies before it knows
};

// Fails each statement from the `left`th on, as a full disk does.
class FailingTransaction final : public Transaction {
 public:
  FailingTransaction(Transaction& inner, std::uint32_t left) : inner_(inner), left_(left) {}
  base::Result<std::vector<Row>> exec(std::string_view sql,
                                      std::vector<Value> parameters) override {
    const bool writes = !sql.starts_with("SELECT");
    if (writes && left_ == 0)
      return base::fail(base::Code::NoRoom, "the database: database or disk is full");
    if (writes) --left_;
    return inner_.exec(sql, std::move(parameters));
  }
  std::int64_t changed() const override { return inner_.changed(); }

 private:
  Transaction& inner_;
  std::uint32_t left_;
};

class FaultyStore final : public Store {
 public:
  struct Faults {
    std::function<Fate()> of_write;  // asked at each write, in order; empty: all are done
    std::function<Fate()> of_read;   // only Done and FailBefore make sense
    std::function<void()> crashed;   // told once, when a fate killed control
  };
  // `inner` must outlive it.
  explicit FaultyStore(Store& inner) : inner_(inner) {}
  FaultyStore(Store& inner, Faults faults) : inner_(inner), faults_(std::move(faults)) {}

  void set_faults(Faults faults) { faults_ = std::move(faults); }
  void fill_disk() { full_ = true; }
  void free_disk() { full_ = false; }
  void kill() { dead_ = true; }
  bool dead() const { return dead_; }
  std::uint64_t writes() const { return writes_; }

  base::Task<base::Result<void>> write(Work work) override {
    if (dead_) co_return gone();
    ++writes_;
    const Fate fate = faults_.of_write ? faults_.of_write() : Fate::Done;
    if (fate == Fate::FailBefore)
      co_return base::fail(base::Code::Unavailable, "the database: it does not answer");
    if (fate == Fate::CrashBefore) co_return crash();
    base::Result<void> written =
        co_await inner_.write([this, &work, fate](Transaction& tx) { return run(work, tx, fate); });
    if (dead_) co_return gone();
    if (fate == Fate::CrashAfter && written) co_return crash();
    if (fate == Fate::LoseAnswer && written)
      co_return base::fail(base::Code::Internal, "the database: the answer to COMMIT was lost");
    co_return written;
  }

  base::Task<base::Result<void>> read(Work work) override {
    if (dead_) co_return gone();
    if (faults_.of_read && faults_.of_read() != Fate::Done)
      co_return base::fail(base::Code::Unavailable, "the database: it does not answer");
    base::Result<void> done = co_await inner_.read(
        [this, &work](Transaction& tx) { return dead_ ? base::Result<void>(gone()) : work(tx); });
    co_return dead_ ? base::Result<void>(gone()) : done;
  }

 private:
  base::Result<void> run(const Work& work, Transaction& tx, Fate fate) {
    if (dead_) return gone();
    const bool fails = full_ || fate == Fate::FailInside;
    // The second statement of a write is as good as any other: the whole of it is undone.
    const std::uint32_t statements = fails ? 1 : std::numeric_limits<std::uint32_t>::max();
    FailingTransaction failing(tx, statements);
    base::Result<void> done = work(failing);
    if (done && fails)
      return base::fail(base::Code::NoRoom, "the database: database or disk is full");
    if (fate == Fate::CrashInside) return crash();
    return done;
  }
  static base::Failure gone() {
    return base::fail(base::Code::Unavailable, "this control plane was killed");
  }
  base::Failure crash() {
    const bool first = !dead_;
    dead_ = true;
    if (first && faults_.crashed) faults_.crashed();
    return gone();
  }

  Store& inner_;
  Faults faults_;
  bool full_ = false;
  bool dead_ = false;
  std::uint64_t writes_ = 0;
};

}  // namespace granary::store::testing
