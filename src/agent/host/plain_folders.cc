#include "agent/host/plain_folders.h"

#include <sys/stat.h>

#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

namespace granary::agent {

using base::AccountId;
using base::Result;

Result<void> PlainFolders::make(const AccountId& account, const DiskOptions& options) {
  TRY(base::os::make_folders(folder(account), 0700));
  if (!base::os::is_root()) return {};  // all silos are of one user then
  TRY(base::os::own_folder(folder(account), 0700, {options.uid, options.uid}));
  // The account's own user must pass where otherwise root alone does.
  for (const std::string& path : {paths_.accounts(), paths_.account(account)})
    TRY(base::os::checked("chmod", path, [&] { return ::chmod(path.c_str(), 0711); }));
  return {};
}

// What it holds is not counted: that would take as long as it is large.
Result<DiskUse> PlainFolders::use(const AccountId& account) {
  if (!base::os::exists(folder(account)))
    return base::fail(base::Code::NotFound, "{} has no disk", account.value);
  return DiskUse{};
}

Result<AttachedDisk> PlainFolders::attach(const AccountId& account) {
  if (!base::os::exists(folder(account)))
    return base::fail(base::Code::NotFound, "{} has no disk", account.value);
  return AttachedDisk{.folder = folder(account)};
}

}  // namespace granary::agent
