#include "store/leased_store.h"

#include "base/check.h"
#include "base/log.h"

namespace granary::store {

using base::Code;
using base::Result;
using base::Task;

namespace {

const std::string kName = "control";  // of the one lease there is

Result<std::optional<LeaseState>> find_lease(Transaction& tx) {
  TRY_ASSIGN(
      const auto rows,
      tx.exec("SELECT holder, place, fence, beat, since FROM lease WHERE name = :1", {kName}));
  if (rows.empty()) return std::nullopt;
  const Row& row = rows.front();
  return LeaseState{.holder = {.name = row.text(0), .place = row.text(1)},
                    .fence = row.integer(2),
                    .beat = row.integer(3),
                    .since = base::WallTime(std::chrono::microseconds(row.integer(4)))};
}

Result<void> put_lease(Transaction& tx, const LeaseState& state) {
  TRY(
      tx.exec("INSERT INTO lease (name, holder, place, fence, beat, since) "
              "VALUES (:1, :2, :3, :4, :5, :6) ON CONFLICT (name) DO UPDATE SET holder = :2, "
              "place = :3, fence = :4, beat = :5, since = :6",
              {kName, state.holder.name, state.holder.place, state.fence, state.beat,
               state.since.time_since_epoch().count()}));
  return {};
}

Result<bool> has_fence(Transaction& tx, std::int64_t fence) {
  TRY_ASSIGN(const auto rows, tx.exec("SELECT 1 FROM lease WHERE name = :1 AND fence = :2",
                                      {kName, std::int64_t{fence}}));
  return !rows.empty();
}

}  // namespace

bool may_take_over(const LeaseSight& sight, const LeaseHolder& self, base::BootTime now,
                   std::chrono::nanoseconds expires) {
  const LeaseHolder& holder = sight.state.holder;
  if (holder.name.empty()) return true;
  if (!self.place.empty() && self.place == holder.place) return true;
  return now - sight.first_seen >= expires;
}

std::string LeasedStore::holder() const {
  if (fence_ != 0 && !lost_) return self_.name;
  if (!sight_ || sight_->state.holder.name.empty()) return "nobody";
  return fmt::format("{} since {}", sight_->state.holder.name,
                     base::to_rfc3339(sight_->state.since));
}

base::Failure LeasedStore::held_by_other() const {
  return base::fail_with_advice(
      Code::Conflict, fmt::format("another control holds the lease on this store: {}", holder()),
      "Stop that one. Otherwise nothing needs to be done: this one takes over when it is gone");
}

// How long the same state is seen counts from after the first read of it.
Task<Result<void>> LeasedStore::look() {
  std::optional<LeaseState> found;
  CO_TRY(co_await parts_.store.read([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(found, find_lease(tx));
    return {};
  }));
  const LeaseState state = found.value_or(LeaseState());
  if (!sight_ || sight_->state != state)
    sight_ = LeaseSight{.state = state, .first_seen = parts_.clock.boot()};
  co_return Result<void>();
}

Task<Result<void>> LeasedStore::try_acquire() {
  ASSERT(fence_ == 0);
  CO_TRY(co_await look());
  const base::BootTime now = parts_.clock.boot();
  if (!may_take_over(*sight_, self_, now, times_.expires)) co_return held_by_other();
  const LeaseState next{
      .holder = self_, .fence = sight_->state.fence + 1, .beat = 0, .since = parts_.clock.wall()};
  bool moved = false;  // somebody was faster, or its holder lives
  const auto written = co_await parts_.store.write([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const auto found, find_lease(tx));
    moved = found.value_or(LeaseState()) != sight_->state;
    return moved ? Result<void>() : put_lease(tx, next);
  });
  if (!written) co_return written;
  if (moved) {
    CO_TRY(co_await look());
    co_return held_by_other();
  }
  fence_ = next.fence;
  renewed_ = now;
  co_return Result<void>();
}

Task<Result<void>> LeasedStore::acquire() {
  std::string told;
  for (;;) {
    const auto taken = co_await try_acquire();
    if (taken) co_return taken;
    std::string problem = base::describe(taken.error());
    if (problem != told) base::log::warn("waiting for the store: {}", problem);
    told = std::move(problem);
    CO_TRY(co_await parts_.timer.sleep(times_.renew / 2));
  }
}

Task<Result<void>> LeasedStore::renew() {
  const base::BootTime begun = parts_.clock.boot();
  bool ours = false;
  const auto written = co_await parts_.store.write([&](Transaction& tx) -> Result<void> {
    TRY(tx.exec("UPDATE lease SET beat = beat + 1 WHERE name = :1 AND fence = :2",
                {kName, std::int64_t{fence_}}));
    ours = tx.changed() == 1;
    return {};
  });
  if (!written) co_return written;
  if (ours) {
    renewed_ = begun;
  } else {
    lost_ = true;
  }
  co_return Result<void>();
}

Task<void> LeasedStore::keep() {
  bool failing = false;
  while (!lost_) {
    if (!co_await parts_.timer.sleep(failing ? times_.renew / 4 : times_.renew)) co_return;
    if (lost_) break;
    const auto renewed = co_await renew();
    if (!renewed && !failing)
      base::log::warn("the lease on the store was not renewed: {}",
                      base::describe(renewed.error()));
    failing = !renewed.has_value();
  }
  (void)co_await look();  // only for the message
  base::log::error("this control lost the lease on the store to {}; it changes nothing any more",
                   holder());
}

Task<void> LeasedStore::release() {
  if (fence_ == 0 || lost_) co_return;
  const std::int64_t fence = fence_;
  lost_ = true;
  const auto written = co_await parts_.store.write([&](Transaction& tx) -> Result<void> {
    TRY(tx.exec("UPDATE lease SET holder = '', place = '' WHERE name = :1 AND fence = :2",
                {kName, std::int64_t{fence}}));
    return {};
  });
  if (!written)
    base::log::warn("the lease on the store was not given back: {}",
                    base::describe(written.error()));
}

bool LeasedStore::may_act() const {
  if (fence_ == 0 || lost_) return false;
  const auto trusted =
      times_.expires - std::min<std::chrono::nanoseconds>(kLeaseMargin, times_.expires / 4);
  return parts_.clock.boot() - renewed_ < trusted;
}

Task<Result<void>> LeasedStore::write(Work work) {
  if (fence_ == 0 || lost_) {
    if (sight_) co_return held_by_other();
    co_return base::fail(Code::Unavailable, "this control does not hold the lease on its store");
  }
  bool fenced_off = false;
  auto written = co_await parts_.store.write([&](Transaction& tx) -> Result<void> {
    TRY_ASSIGN(const bool ours, has_fence(tx, fence_));
    fenced_off = !ours;
    if (fenced_off) return base::fail(Code::Conflict, "the lease is another's");
    return work(tx);
  });
  if (!fenced_off) co_return written;
  lost_ = true;
  (void)co_await look();  // only for the message
  co_return held_by_other();
}

Task<Result<void>> LeasedStore::read(Work work) {
  co_return co_await parts_.store.read(std::move(work));
}

}  // namespace granary::store
