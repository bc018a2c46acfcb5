#include "agent/host/plain_folders.h"

#include <sys/stat.h>

#include "base/os/child.h"
#include "base/os/file.h"
#include "base/os/priority.h"
#include "base/os/syscall.h"

namespace granary::agent {

using base::AccountId;
using base::Result;

namespace {

class LiveFolder final : public DataSnapshot {
 public:
  explicit LiveFolder(std::string folder) : folder_(std::move(folder)) {}
  Result<wire::DataArchiveInfo> pack(const std::string& archive,
                                     const wire::DataPulse& pulse) override {
    const base::os::LowPriority low;
    return wire::pack_data(folder_, archive, {.source = wire::DataSource::Live, .pulse = pulse});
  }
  std::chrono::microseconds paused() const override { return {}; }

 private:
  std::string folder_;
};

}  // namespace

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

Result<std::unique_ptr<DataSnapshot>> PlainFolders::snapshot(const AccountId& account,
                                                             const SnapshotOptions& /*options*/) {
  TRY(attach(account));
  return std::make_unique<LiveFolder>(folder(account));
}

Result<void> PlainFolders::replace(const AccountId& account, const std::string& archive,
                                   const std::string& sha256, const DiskOptions& options,
                                   const wire::DataPulse& pulse) {
  const base::os::LowPriority low;
  const std::string beside = import_folder(account);
  TRY(base::os::remove_tree(beside));
  TRY(base::os::make_folders(beside, 0700));
  const base::os::Ownership owner =
      base::os::is_root() ? base::os::Ownership{options.uid, options.uid}
                          : base::os::Ownership{base::os::own_uid(), base::os::own_gid()};
  auto unpacked = wire::unpack_data(
      archive, beside, {.limits = {}, .uid = owner.uid, .gid = owner.gid, .pulse = pulse});
  if (unpacked && unpacked->sha256 != sha256)
    unpacked =
        base::fail(base::Code::InvalidArgument,
                   "the archive is not the one that was meant: its hash is {}", unpacked->sha256);
  if (!unpacked) {
    (void)base::os::remove_tree(beside);
    return std::unexpected(std::move(unpacked).error());
  }
  TRY(base::os::sync_filesystem(beside));
  TRY(base::os::exchange_files(beside, folder(account)));
  TRY(base::os::sync_folder(paths_.account(account)));
  return base::os::remove_tree(beside);  // what was there before
}

Result<void> PlainFolders::recover(const AccountId& account) {
  return base::os::remove_tree(import_folder(account));
}

}  // namespace granary::agent
