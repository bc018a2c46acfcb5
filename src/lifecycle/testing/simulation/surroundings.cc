#include "lifecycle/testing/simulation/surroundings.h"

namespace granary::lifecycle::simulation {

using base::AccountId;
using base::Code;
using base::Result;
using base::Task;

Task<Result<void>> Way::there() {
  if (cut_) co_return base::fail(Code::Unavailable, "this control plane was killed");
  CO_TRY(co_await timer_.sleep(std::chrono::milliseconds(1 + rng_.below(20))));
  // What was on its way when control died still arrives, as a request in a socket would.
  if (rng_.unit() < fails_) co_return base::fail(Code::Unavailable, "nobody is there");
  co_return Result<void>();
}

Result<void> Way::back() {
  if (rng_.unit() < fails_ / 2) return base::fail(Code::Unavailable, "the answer was lost");
  return {};
}

Task<Result<void>> SimProber::probe(AccountId account, std::string path) {
  CO_TRY(co_await way_.there());
  co_return co_await prober_.probe(std::move(account), std::move(path));
}

Task<Result<void>> SimPublisher::publish() {
  CO_TRY(co_await way_.there());
  published_();
  co_return way_.back();
}

Task<Result<ArchiveFile>> SimArchives::pack(std::string id, ArchiveHead head) {
  CO_TRY(co_await way_.there());
  CO_TRY_ASSIGN(ArchiveFile file, co_await archives_.pack(std::move(id), std::move(head)));
  CO_TRY(way_.back());
  co_return file;
}

Task<Result<ArchiveHead>> SimArchives::head(std::string id) {
  CO_TRY(co_await way_.there());
  co_return co_await archives_.head(std::move(id));
}

Task<Result<ArchiveHead>> SimArchives::unpack(std::string id, std::string transfer,
                                              std::string actor) {
  CO_TRY(co_await way_.there());
  CO_TRY_ASSIGN(ArchiveHead head,
                co_await archives_.unpack(std::move(id), std::move(transfer), std::move(actor)));
  CO_TRY(way_.back());
  co_return head;
}

Task<Result<void>> SimArchives::remove(std::string id) {
  CO_TRY(co_await way_.there());
  removing_(id);
  CO_TRY(co_await archives_.remove(std::move(id)));
  co_return way_.back();
}

Task<Result<std::vector<std::string>>> SimArchives::list() {
  CO_TRY(co_await way_.there());
  co_return co_await archives_.list();
}

}  // namespace granary::lifecycle::simulation
