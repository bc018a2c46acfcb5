#include "gateway/certificate_watcher.h"

#include "base/log.h"
#include "gateway/folder_watch.h"
#include "gateway/limits.h"

namespace granary::gateway {

CertificateWatcher::CertificateWatcher(Parts parts, std::string folder, SharedCertificates first,
                                       Take take)
    : parts_(parts),
      folder_(std::move(folder)),
      newest_(std::move(first)),
      take_(std::move(take)),
      changed_(parts.executor) {}

void CertificateWatcher::note_change() {
  pending_ = true;
  changed_.notify_all();
}

base::Task<void> CertificateWatcher::watch() {
  return watch_changes(parts_.executor, parts_.timer, folder_, [this] { note_change(); });
}

base::Task<void> CertificateWatcher::recheck() {
  while (co_await parts_.timer.sleep(kCertificateRecheck)) note_change();
}

// Waits a little first: one file of a pair comes before the other.
base::Task<void> CertificateWatcher::follow() {
  for (;;) {
    while (pending_) {
      if (!co_await parts_.timer.sleep(kCertificateSettle)) co_return;
      pending_ = false;
      co_await load();
    }
    if (!co_await changed_.wait()) co_return;
  }
}

base::Task<void> CertificateWatcher::load() {
  auto loaded = co_await base::run_on(
      parts_.worker, [folder = folder_, before = newest_, now = parts_.clock.wall()] {
        return load_certificates(folder, before, now);
      });
  const std::string problem = loaded ? "" : base::describe(loaded.error());
  if (!problem.empty() && problem != problem_)
    base::log::error("the certificates stay as they were: {}", base::log::escape(problem));
  problem_ = problem;
  if (!loaded || *loaded == newest_) co_return;
  newest_ = *std::move(loaded);
  base::log::info("{} certificates are in force", newest_->size());
  take_(newest_);
}

}  // namespace granary::gateway
