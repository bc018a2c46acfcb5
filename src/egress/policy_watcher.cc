#include "egress/policy_watcher.h"

#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/log.h"
#include "base/os/watch.h"
#include "egress/limits.h"

namespace granary::egress {

using base::Result;
using base::Task;

namespace {

Result<wire::EgressPolicy> read_policy(const std::string& path) {
  TRY_ASSIGN(const std::string text, base::os::read_file(path, wire::kMaxEgressPolicy));
  return wire::decode_egress_policy(text);
}

}  // namespace

PolicyWatcher::PolicyWatcher(Parts parts, Take take)
    : parts_(std::move(parts)), take_(std::move(take)), changed_(parts_.executor) {}

std::optional<base::os::FileStamp> PolicyWatcher::stamp() const {
  const auto found = base::os::file_stamp(parts_.paths.egress_policy());
  return found ? std::optional(*found) : std::nullopt;
}

// A new watch after each change, and only then a look: whatever happens in between is seen, also
// that the folder was made anew.
Task<void> PolicyWatcher::watch() {
  for (;;) {
    auto watch = base::os::watch_folder(parts_.paths.publish());
    if (stamp() != loaded_) ++wanted_;
    changed_.notify_all();
    if (!watch) {
      if (!co_await parts_.timer.sleep(kPolicyRecheck)) co_return;
      continue;
    }
    base::asio::posix::stream_descriptor events(parts_.executor, watch->release());
    base::ErrorCode error;
    co_await events.async_wait(base::asio::posix::descriptor_base::wait_read, base::into(error));
    if (error) co_return;
  }
}

Task<void> PolicyWatcher::follow() {
  for (;;) {
    while (done_ < wanted_) {
      const std::uint64_t covers = wanted_;
      co_await load();
      done_ = covers;
      changed_.notify_all();
    }
    if (!co_await changed_.wait()) co_return;
  }
}

Task<void> PolicyWatcher::refresh() {
  if (stamp() == loaded_) co_return;
  const std::uint64_t mine = ++wanted_;
  changed_.notify_all();
  while (done_ < mine) {
    if (!co_await changed_.wait()) co_return;
  }
}

Task<void> PolicyWatcher::load() {
  // Before the reading: a file that is replaced meanwhile is looked at again.
  const auto seen = stamp();
  const auto policy = co_await base::run_on(
      parts_.worker, [path = parts_.paths.egress_policy()] { return read_policy(path); });
  loaded_ = seen;
  if (policy) {
    base::log::info("egress: {} accounts may connect to the outside", policy->accounts.size());
    take_(*policy);
  } else if (policy.error().code != base::Code::NotFound) {
    base::log::error("the egress policy stays as it was: {}", base::describe(policy.error()));
  }
}

}  // namespace granary::egress
