#include "agent/account_files.h"

#include "agent/host/disk_keys.h"
#include "agent/limits.h"
#include "base/os/file.h"

namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::os::Durability;

Result<void> AccountFiles::prepare() const {
  for (const std::string& folder : {paths_.releases(), paths_.run(), paths_.silos()})
    TRY(base::os::make_folders(folder, 0711));
  for (const std::string& folder : {paths_.accounts(), paths_.graveyard()})
    TRY(base::os::make_folders(folder, 0700));
  return {};
}

Result<void> AccountFiles::save(const wire::AccountSpec& spec) const {
  const bool known = base::os::exists(paths_.account(spec.account));
  TRY(base::os::make_folders(paths_.logs(spec.account), 0700));
  TRY(base::os::replace_file(paths_.account_file(spec.account), base::json::print(to_json(spec)),
                             0600, Durability::Synced));
  if (!known) TRY(base::os::sync_folder(paths_.accounts()));
  return {};
}

Result<AccountFiles::Loaded> AccountFiles::load_all() const {
  Loaded loaded;
  TRY_ASSIGN(const auto names, base::os::list_folder(paths_.accounts()));
  for (const std::string& name : names) {
    const AccountId id(name);
    const auto text = base::os::read_file(paths_.account_file(id), kMaxAccountFile);
    // A folder without it was never acknowledged to anybody: whoever wanted it asks again.
    if (!text && text.error().code == Code::NotFound) continue;
    (void)base::os::remove_file(paths_.disk(id) + ".new");  // a disk that was being made
    auto spec = [&]() -> Result<wire::AccountSpec> {
      if (!text) return std::unexpected(text.error());
      TRY_ASSIGN(const auto document, base::json::parse_object(*text, kMaxAccountFile));
      return wire::account_spec_from(document);
    }();
    if (spec && spec->account == id) {
      loaded.specs.push_back(std::move(*spec));
    } else {
      loaded.damaged.push_back({Code::DataLoss,
                                fmt::format("account {} cannot be read: {}", name,
                                            spec ? "it is another's" : spec.error().message),
                                "Apply the account again",
                                {}});
    }
  }
  return loaded;
}

Result<void> AccountFiles::bury_folder(const std::string& folder, const std::string& name) const {
  if (!base::os::exists(folder)) return {};
  for (int i = 0;; ++i) {  // an earlier one of its name may not be reaped yet
    const std::string grave = fmt::format("{}/{}.{}", paths_.graveyard(), name, i);
    if (base::os::exists(grave)) continue;
    TRY(base::os::rename_file(folder, grave));
    return base::os::sync_folder(folder.substr(0, folder.rfind('/')));
  }
}

Result<void> AccountFiles::bury(const AccountId& account) const {
  TRY(base::os::remove_tree(paths_.silo(account)));
  // First of all: whatever becomes of the rest, and of copies of the disk, nobody reads it.
  TRY(DiskKeys::destroy(paths_, account));
  return bury_folder(paths_.account(account), account.value);
}

Result<void> AccountFiles::bury_release(const std::string& hash) const {
  return bury_folder(paths_.release(hash), hash);
}

Result<void> AccountFiles::reap() const {
  TRY_ASSIGN(const auto names, base::os::list_folder(paths_.graveyard()));
  for (const std::string& name : names) TRY(base::os::remove_tree(paths_.graveyard() + "/" + name));
  return {};
}

}  // namespace granary::agent
