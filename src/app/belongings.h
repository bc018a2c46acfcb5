// The files in run/ that a role works with and that somebody may remove under it: its board, its
// socket. It is looked every kBelongingsLook whether each is still the one that it was; a role that
// lost one ends, and is started anew with all that it needs (`up` makes the folders again, a
// service manager runs `granary prepare`). Lives on the role's executor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/os/file.h"
#include "base/timer.h"

namespace granary::app {

class Belongings final {
 public:
  // `timer` outlives it.
  explicit Belongings(base::Timer& timer) : timer_(timer) {}

  // The file that is there now. Errors: NotFound.
  base::Result<void> add(const std::string& path);
  // The first that is gone, or another one by now; empty: all are there.
  std::string missing() const;
  // Resolves with kExitAway when one is missing; at each look `mend` runs first.
  base::Task<int> lost(std::function<void()> mend = {});

 private:
  struct Item {
    std::string path;
    base::os::FileStamp stamp;
  };
  base::Timer& timer_;
  std::vector<Item> items_;
};

}  // namespace granary::app
