// Follows the folder of certificates: loads what changed and hands on each new set. What is bad is
// logged, and what was in force stays so. Reading and parsing run on a worker. Owned by the
// Gateway.
#pragma once

#include <functional>

#include "base/event.h"
#include "base/timer.h"
#include "base/worker.h"
#include "gateway/certificates.h"

namespace granary::gateway {

class CertificateWatcher final {
 public:
  // All outlive the watcher.
  struct Parts {
    const base::Clock& clock;
    base::Timer& timer;
    base::Worker& worker;
    base::asio::any_io_executor executor;
  };
  using Take = std::move_only_function<void(SharedCertificates)>;
  // `first` is in force already.
  CertificateWatcher(Parts parts, std::string folder, SharedCertificates first, Take take);

  // All run beside each other and end by cancellation: one listens to the kernel, one looks now
  // and then for what the kernel does not tell (links to other folders, removals), one loads.
  base::Task<void> watch();
  base::Task<void> recheck();
  base::Task<void> follow();

 private:
  void note_change();
  base::Task<void> load();

  Parts parts_;
  const std::string folder_;
  SharedCertificates newest_;
  Take take_;
  base::Event changed_;
  bool pending_ = false;  // something may be new
  std::string problem_;   // with the folder itself, as it was logged last
};

}  // namespace granary::gateway
