#include "app/hold.h"

#include "app/limits.h"
#include "base/log.h"
#include "base/os/folder_lock.h"

namespace granary::app {

using base::Code;
using base::Result;
using base::os::Fd;
using base::os::Hold;

namespace {

// Of each role one that nobody else may read: who cannot be it cannot keep it from running.
std::string folder_of(const Config& config, RoleName role) {
  const wire::Paths paths(config.data_dir);
  switch (role) {
    case RoleName::Agent:
      return paths.accounts();
    case RoleName::Control:
      return paths.control();
    case RoleName::Egress:
      return paths.egress();
    case RoleName::Gateway:
      return paths.access();
  }
  return {};
}

// "'granary up' (process 12, since 2026-11-27T08:00:00.000Z) runs on ...".
base::Failure taken(const Config& config, const std::string& folder, const base::Clock& clock) {
  const auto holder = base::os::folder_holder(folder);
  if (!holder)
    return base::fail_with_advice(
        Code::Conflict, "another process runs on the data directory " + config.data_dir,
        "Stop it, or choose another --data-dir (fuser " + folder + " may name it)");
  std::string who =
      holder->command.empty() ? "a process that is ending" : fmt::format("'{}'", holder->command);
  who += fmt::format(" (process {}", holder->pid);
  if (holder->started.count() > 0) {
    const auto age =
        std::chrono::duration_cast<std::chrono::microseconds>(clock.boot() - holder->started);
    who += ", since " + base::to_rfc3339(clock.wall() - age);
  }
  return base::fail_with_advice(
      Code::Conflict, fmt::format("{}) runs on the data directory {}", who, config.data_dir),
      fmt::format("See it with ps -fp {0}; stop it with kill {0}, or choose another --data-dir",
                  holder->pid));
}

Result<Fd> hold_within(const Config& config, const std::string& folder,
                       std::chrono::milliseconds patience, const base::Clock& clock) {
  for (auto left = patience;; left -= kHoldLook) {
    auto held = base::os::hold_folder(folder, Hold::Alone);
    if (held || held.error().code != Code::Conflict) return held;
    if (left <= left.zero()) return taken(config, folder, clock);
    if (left == kLeftoverPatience)
      base::log::info("{}; waiting for at most {} until it has ended",
                      taken(config, folder, clock).error().message,
                      base::format_duration(patience));
    base::os::pause_thread(kHoldLook);
  }
}

// Where this user may not read the directory, the role's own folder decides alone.
Result<void> share_directory(const Config& config, const base::Clock& clock, Held& held) {
  auto shared = base::os::hold_folder(config.data_dir, Hold::Shared);
  if (shared) {
    held.push_back(*std::move(shared));
    return {};
  }
  if (shared.error().code == Code::Refused) return {};
  if (shared.error().code == Code::Conflict) return taken(config, config.data_dir, clock);
  return std::unexpected(shared.error());
}

}  // namespace

const char* to_string(RoleName role) {
  switch (role) {
    case RoleName::Agent:
      return "agent";
    case RoleName::Control:
      return "control";
    case RoleName::Egress:
      return "egress";
    case RoleName::Gateway:
      return "gateway";
  }
  return "";
}

Result<Held> hold_directory(const Config& config, const base::Clock& clock) {
  auto held = base::os::hold_folder(config.data_dir, Hold::Alone);
  if (!held && held.error().code == Code::Conflict) return taken(config, config.data_dir, clock);
  if (!held) return std::unexpected(held.error());
  Held all;
  all.push_back(*std::move(held));
  return all;
}

Result<void> await_leftovers(const Config& config, const base::Clock& clock) {
  for (const RoleName role : kRoleNames)
    TRY(hold_within(config, folder_of(config, role), kLeftoverPatience, clock));
  return {};
}

Result<Held> hold_role(const Config& config, RoleName role, const base::Clock& clock) {
  Held held;
  // What `up` has started stands under the hold of `up`.
  if (config.started_by == StartedBy::Operator) TRY(share_directory(config, clock, held));
  const std::string folder = folder_of(config, role);
  auto own = hold_within(config, folder, kHoldPatience, clock);
  if (!own && own.error().code == Code::NotFound)
    return base::fail_with_advice(Code::NotFound, own.error().message,
                                  "Run granary prepare with the same options first");
  if (!own) return std::unexpected(own.error());
  held.push_back(*std::move(own));
  return held;
}

}  // namespace granary::app
