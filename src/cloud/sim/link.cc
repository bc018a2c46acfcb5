#include "cloud/sim/link.h"

namespace granary::cloud::sim {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;

Link::Link(base::asio::any_io_executor executor, SimCloud& cloud, base::Timer& timer,
           base::Rng& rng)
    : executor_(executor),
      cloud_(cloud),
      timer_(timer),
      rng_(rng),
      turned_(executor),
      tasks_(std::move(executor)) {}

Task<void> Link::close() { co_await tasks_.close(); }

Link::Fate Link::draw(Repeatable repeatable) {
  double dice = rng_.unit();
  if (dice < faults_.hang) return Fate::Hang;
  dice -= faults_.hang;
  if (dice < faults_.twice) return Fate::Twice;
  dice -= faults_.twice;
  return repeatable == Repeatable::Later && dice >= 0 && dice < faults_.late ? Fate::Late
                                                                             : Fate::Once;
}

std::chrono::milliseconds Link::within(std::chrono::milliseconds longest) {
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(rng_.below(static_cast<std::uint64_t>(longest.count()) + 1)));
}

// False when the link closes first.
Task<bool> Link::take_turn(AccountId account) {
  const std::uint64_t ticket = lanes_[account].next++;
  while (lanes_.at(account).served != ticket) {
    if (!co_await turned_.wait()) co_return false;
  }
  co_return true;
}

void Link::end_turn(const AccountId& account) {
  const auto lane = lanes_.find(account);
  const bool last = ++lane->second.served == lane->second.next;
  if (last) {
    lanes_.erase(lane);
  } else {
    turned_.notify_all();
  }
}

template <class T>
Task<void> Link::carry_out(AccountId account, Fate fate, Work<T> work,
                           std::shared_ptr<Pending<T>> pending) {
  if (!co_await take_turn(account)) co_return;
  bool lost = false;
  if (fate == Fate::Hang) {
    lost = rng_.below(2) == 0;
    if (!co_await timer_.sleep(within(2 * faults_.deadline))) co_return;
  }
  if (!lost) {
    Result<T> result = co_await work(When::Now);
    if (fate == Fate::Twice) result = co_await work(When::Now);
    pending->set(std::move(result));
  }
  end_turn(account);
  if (fate != Fate::Late) co_return;
  if (!co_await timer_.sleep(within(faults_.latest))) co_return;
  if (!co_await take_turn(account)) co_return;
  (void)co_await work(When::Later);
  end_turn(account);
}

template <class T>
Task<void> Link::give_up(std::shared_ptr<Pending<T>> pending) {
  (void)co_await timer_.sleep(faults_.deadline);
  pending->set(base::fail(Code::Deadline, "the cloud did not answer in time"));
}

template <class T>
Task<Result<T>> Link::call(AccountId account, Repeatable repeatable, Work<T> work) {
  const Fate fate = draw(repeatable);
  counts_.twice += fate == Fate::Twice ? 1U : 0U;
  counts_.late += fate == Fate::Late ? 1U : 0U;
  counts_.hung += fate == Fate::Hang ? 1U : 0U;
  auto pending = std::make_shared<Pending<T>>(executor_);
  // Others wait behind a call that hangs, so each has a deadline.
  const bool may_wait = faults_.hang > 0;
  const bool sent = tasks_.spawn("call", carry_out(account, fate, std::move(work), pending)) &&
                    (!may_wait || tasks_.spawn("deadline", give_up(pending)));
  if (!sent) co_return base::fail(Code::Cancelled, "the world ends");
  while (!pending->answer) CO_TRY(co_await pending->known.wait());
  co_return std::move(*pending->answer);
}

template <class T>
Task<Result<T>> LinkEnd::change(std::string_view verb, AccountId account,
                                Link::Repeatable repeatable, Link::Work<T> work) {
  if (cut_) co_return base::fail(Code::Unavailable, "this control plane was killed");
  if (watch_.began) watch_.began(verb, account);
  Result<T> result = co_await link_.call<T>(account, repeatable, std::move(work));
  if (watch_.ended) watch_.ended(verb, account);
  co_return result;
}

Task<Result<void>> LinkEnd::prepare_release(std::string release_hash) {
  if (cut_) co_return base::fail(Code::Unavailable, "this control plane was killed");
  // Of no account: a lane of its own.
  co_return co_await link_.call<void>(AccountId("release/" + release_hash), Link::Repeatable::Later,
                                      [&cloud = link_.cloud(), release_hash](Link::When) {
                                        return cloud.prepare_release(release_hash);
                                      });
}

namespace {

Task<Result<Actual>> converge_in_its_life(SimCloud& cloud, Desired desired) {
  // A repetition after the account was destroyed would make it anew: the order in which calls on
  // one account are carried out is what keeps a driver from that, its version within its life.
  const auto found = cloud.accounts().find(desired.account);
  if (found == cloud.accounts().end() || found->second.ordinal != desired.ordinal)
    co_return base::fail(Code::NotFound, "there is no such account any more");
  co_return co_await cloud.converge(std::move(desired));
}

}  // namespace

Task<Result<Actual>> LinkEnd::converge(Desired desired) {
  if (watch_.converging && !cut_) watch_.converging(desired);
  co_return co_await change<Actual>("converge", desired.account, Link::Repeatable::Later,
                                    [&cloud = link_.cloud(), desired](Link::When when) {
                                      return when == Link::When::Now
                                                 ? cloud.converge(desired)
                                                 : converge_in_its_life(cloud, desired);
                                    });
}

Task<Result<void>> LinkEnd::destroy(AccountId account) {
  co_return co_await change<void>(
      "destroy", account, Link::Repeatable::Never,
      [&cloud = link_.cloud(), account](Link::When) { return cloud.destroy(account); });
}

Task<Result<DataExport>> LinkEnd::export_data(AccountId account, std::string transfer) {
  co_return co_await change<DataExport>("export_data", account, Link::Repeatable::Never,
                                        [&cloud = link_.cloud(), account, transfer](Link::When) {
                                          return cloud.export_data(account, transfer);
                                        });
}

Task<Result<void>> LinkEnd::import_data(AccountId account, std::string transfer,
                                        std::string sha256) {
  co_return co_await change<void>("import_data", account, Link::Repeatable::Never,
                                  [&cloud = link_.cloud(), account, transfer, sha256](Link::When) {
                                    return cloud.import_data(account, transfer, sha256);
                                  });
}

Task<Result<Actual>> LinkEnd::describe(AccountId account) {
  if (cut_) co_return base::fail(Code::Unavailable, "this control plane was killed");
  co_return co_await link_.cloud().describe(std::move(account));
}

Task<Result<Page>> LinkEnd::list(std::string after, std::uint32_t limit) {
  if (cut_) co_return base::fail(Code::Unavailable, "this control plane was killed");
  co_return co_await link_.cloud().list(std::move(after), limit);
}

Task<Result<Driver::LogChunk>> LinkEnd::read_log(base::ServiceId service, std::uint64_t cursor) {
  if (cut_) co_return base::fail(Code::Unavailable, "this control plane was killed");
  co_return co_await link_.cloud().read_log(std::move(service), cursor);
}

}  // namespace granary::cloud::sim
