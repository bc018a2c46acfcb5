// The way from the root of a tree down to the folder that is worked in, however deep: only the
// deepest few folders of it are held open. Whoever goes up to one that is not gets to it through
// `..`, and only if it is the very folder that was left. For walking, building and removing trees
// that somebody else made. Blocking; owned and used by one thread.
#pragma once

#include <sys/types.h>

#include <deque>
#include <string>
#include <vector>

#include "base/os/folder.h"
#include "base/result.h"

namespace granary::base::os {

// Folders held open at once: deeper trees than this are rare, and a process has 1,024 descriptors.
inline constexpr std::size_t kDescentHeld = 32;

class Descent final {
 public:
  explicit Descent(Folder root) : root_(std::move(root)) {}

  // Where it stands: the root at first.
  const Folder& here() const { return held_.empty() ? root_ : held_.back(); }
  const Folder& root() const { return root_; }
  std::size_t depth() const { return way_.size(); }

  // `below` is a folder of here().
  Result<void> enter(Folder below);
  // One up. Errors: Conflict where somebody has moved a folder of the way meanwhile: then it stands
  // at the root again.
  Result<void> leave();

 private:
  struct Identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const Identity&) const = default;
  };
  static Result<Identity> identity(const Folder& folder);
  Result<void> reopen(const Folder& below);

  Folder root_;
  std::vector<Identity> way_;  // from below the root down to here()
  std::deque<Folder> held_;    // the deepest of them; none only at the root
};

}  // namespace granary::base::os
