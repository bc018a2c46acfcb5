// Follows publish/egress.json: hands on each new policy that can be read. A bad one is logged and
// the one before stays in force, as it does while control is away. Decoding runs on a worker.
// Owned by the Proxy; one thread.
#pragma once

#include <functional>
#include <optional>

#include "base/event.h"
#include "base/os/file.h"
#include "base/timer.h"
#include "base/worker.h"
#include "wire/egress_policy.h"
#include "wire/paths.h"

namespace granary::egress {

class PolicyWatcher final {
 public:
  struct Parts {  // all outlive the watcher
    const wire::Paths& paths;
    base::Timer& timer;
    base::Worker& worker;
    base::asio::any_io_executor executor;
  };
  using Take = std::move_only_function<void(const wire::EgressPolicy&)>;
  PolicyWatcher(Parts parts, Take take);

  // Both run beside each other and end by cancellation: one listens to the kernel, one loads.
  base::Task<void> watch();
  base::Task<void> follow();
  // Resolves once what is in force is not older than what was published before the call: nothing
  // is to be refused by a policy that has been replaced. Cheap when nothing is new.
  base::Task<void> refresh();

 private:
  base::Task<void> load();
  std::optional<base::os::FileStamp> stamp() const;

  Parts parts_;
  Take take_;
  std::optional<base::os::FileStamp> loaded_;  // of what was looked at last
  // Progress: done_ < wanted_ => follow() is loading or about to.
  std::uint64_t wanted_ = 0;
  std::uint64_t done_ = 0;
  base::Event changed_;
};

}  // namespace granary::egress
