#include "base/os/descent.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/check.h"
#include "base/os/syscall.h"

namespace granary::base::os {

Result<Descent::Identity> Descent::identity(const Folder& folder) {
  struct stat status{};
  TRY(checked("fstat", "folder", [&] { return ::fstat(folder.fd(), &status); }));
  return Identity{status.st_dev, status.st_ino};
}

Result<void> Descent::enter(Folder below) {
  TRY_ASSIGN(const Identity found, identity(below));
  way_.push_back(found);
  held_.push_back(std::move(below));
  if (held_.size() > kDescentHeld) held_.pop_front();
  return {};
}

Result<void> Descent::leave() {
  INVARIANT(!held_.empty());
  const Folder left = std::move(held_.back());
  held_.pop_back();
  way_.pop_back();
  if (way_.empty() || !held_.empty()) return {};
  auto reopened = reopen(left);
  if (!reopened) way_.clear();
  return reopened;
}

Result<void> Descent::reopen(const Folder& below) {
  auto above = below.parent();
  if (above) {
    TRY_ASSIGN(const Identity found, identity(*above));
    if (found == way_.back()) {
      held_.push_back(std::move(*above));
      return {};
    }
  }
  return fail(Code::Conflict, "a folder was moved while it was read");
}

}  // namespace granary::base::os
