#include "app/belongings.h"

#include <algorithm>

#include "app/limits.h"
#include "app/role.h"
#include "base/log.h"

namespace granary::app {

using base::Result;
using base::Task;

Result<void> Belongings::add(const std::string& path) {
  TRY_ASSIGN(const base::os::FileStamp stamp, base::os::file_stamp(path));
  items_.push_back({path, stamp});
  return {};
}

std::string Belongings::missing() const {
  const auto lost = std::ranges::find_if(items_, [](const Item& item) {
    const auto now = base::os::file_stamp(item.path);
    return !now || now->device != item.stamp.device || now->inode != item.stamp.inode;
  });
  return lost == items_.end() ? std::string() : lost->path;
}

Task<int> Belongings::lost(std::function<void()> mend) {
  while (co_await timer_.sleep(kBelongingsLook)) {
    if (mend) mend();
    const std::string path = missing();
    if (path.empty()) continue;
    base::log::error("{} was removed or replaced; this role starts anew", path);
    co_return kExitAway;
  }
  co_return kExitOk;
}

}  // namespace granary::app
