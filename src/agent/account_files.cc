#include "agent/account_files.h"

#include "agent/host/disk_keys.h"
#include "agent/limits.h"
#include "agent/platform_key.h"
#include "base/os/file.h"

namespace granary::agent {

using base::AccountId;
using base::Code;
using base::Result;
using base::os::Durability;

namespace {

// What a file of sealed secrets begins with: which form it has.
constexpr std::string_view kSealedMagic = "granary secrets 1\n";
constexpr std::string_view kSealedBeginning = "secrets.";

// Another account's, or an earlier version's, cannot be put in its place.
std::string context_of(const wire::AccountSpec& spec) {
  return fmt::format("secrets of {} at {}", spec.account.value, spec.version);
}

}  // namespace

Result<void> AccountFiles::prepare() {
  for (const std::string& folder : {paths_.releases(), paths_.run(), paths_.silos()})
    TRY(base::os::make_folders(folder, 0711));
  for (const std::string& folder : {paths_.accounts(), paths_.graveyard(), paths_.keys()})
    TRY(base::os::make_folders(folder, 0700));
  TRY_ASSIGN(key_, open_platform_key(paths_));
  return {};
}

Result<void> AccountFiles::prepare(const AccountId& account) const {
  const bool known = base::os::exists(paths_.account(account));
  TRY(base::os::make_folders(paths_.logs(account), 0700));
  return known ? Result<void>() : base::os::sync_folder(paths_.accounts());
}

Result<void> AccountFiles::save(const wire::AccountSpec& spec) const {
  TRY(save_secrets(spec));
  base::json::object document = to_json(spec);
  document.erase("secrets");
  TRY(base::os::replace_file(paths_.account_file(spec.account), base::json::print(document), 0600,
                             Durability::Synced));
  return forget_old_secrets(spec);
}

Result<void> AccountFiles::save_secrets(const wire::AccountSpec& spec) const {
  const std::string path = paths_.secrets(spec.account, spec.version);
  if (spec.secrets.empty()) return base::os::remove_file(path);
  std::string plain = base::json::print(wire::secrets_to_json(spec.secrets));
  const std::string sealed = std::string(kSealedMagic) + key_->seal(plain, context_of(spec));
  base::wipe(plain);
  return base::os::replace_file(path, sealed, 0600, Durability::Synced);
}

Result<wire::Secrets> AccountFiles::load_secrets(const wire::AccountSpec& spec) const {
  const auto sealed =
      base::os::read_file(paths_.secrets(spec.account, spec.version), kMaxAccountFile);
  if (!sealed && sealed.error().code == Code::NotFound) return wire::Secrets();
  if (!sealed) return std::unexpected(sealed.error());
  if (!sealed->starts_with(kSealedMagic))
    return base::fail(Code::DataLoss, "the file of its secrets is damaged");
  auto plain =
      key_->unseal(std::string_view(*sealed).substr(kSealedMagic.size()), context_of(spec));
  if (!plain) return base::fail(Code::DataLoss, "its secrets: {}", plain.error().message);
  const auto document = base::json::parse_object(*plain, kMaxAccountFile);
  base::wipe(*plain);
  if (!document) return base::fail(Code::DataLoss, "its secrets cannot be read");
  return wire::secrets_from(*document);
}

// Of versions that are no more in force, or never were.
Result<void> AccountFiles::forget_old_secrets(const wire::AccountSpec& spec) const {
  const std::string folder = paths_.account(spec.account);
  const std::string current = paths_.secrets(spec.account, spec.version);
  TRY_ASSIGN(const auto names, base::os::list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (name.starts_with(kSealedBeginning) && path != current) TRY(base::os::remove_file(path));
  }
  return {};
}

Result<wire::AccountSpec> AccountFiles::load(const AccountId& id, const std::string& text) const {
  TRY_ASSIGN(const auto document, base::json::parse_object(text, kMaxAccountFile));
  TRY_ASSIGN(wire::AccountSpec spec, wire::account_spec_from(document));
  if (spec.account != id) return base::fail(Code::DataLoss, "it is another's");
  TRY_ASSIGN(spec.secrets, load_secrets(spec));
  return spec;
}

Result<AccountFiles::Loaded> AccountFiles::load_all() const {
  Loaded loaded;
  TRY_ASSIGN(const auto names, base::os::list_folder(paths_.accounts()));
  for (const std::string& name : names) {
    if (!base::parse_slug(name, "an account")) continue;  // not ours: a file system's lost+found
    const AccountId id(name);
    (void)base::os::remove_file(paths_.disk(id) + ".new");  // a disk that was being made
    const auto text = base::os::read_file(paths_.account_file(id), kMaxAccountFile);
    auto spec = text ? load(id, *text) : std::unexpected(text.error());
    if (spec) {
      loaded.specs.push_back(std::move(*spec));
    } else if (text || text.error().code != Code::NotFound) {
      loaded.damaged.push_back({id, "its account.json cannot be read: " + spec.error().message});
    } else if (base::os::exists(paths_.disk(id))) {
      loaded.damaged.push_back({id, "its disk is there, but no account.json"});
    }  // else it was never acknowledged to anybody: whoever wanted it asks again
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
