#include "agent/platform_key.h"

#include <algorithm>

#include "base/os/file.h"

namespace granary::agent {

using base::Code;
using base::Result;

namespace {

bool is_sealed(const std::string& name) { return name == "disk.key" || name.ends_with(".sealed"); }

// Whether an account has its disk's key, or secrets.
Result<bool> anything_sealed(const std::string& accounts) {
  const auto names = base::os::list_folder(accounts);
  if (!names && names.error().code == Code::NotFound) return false;
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    const auto files = base::os::list_folder(accounts + "/" + name);
    if (files && std::ranges::any_of(*files, is_sealed)) return true;
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<base::SealingKey>> open_platform_key(const wire::Paths& paths) {
  if (base::os::exists(paths.platform_key())) return base::SealingKey::open(paths.platform_key());
  TRY_ASSIGN(const bool sealed, anything_sealed(paths.accounts()));
  return base::SealingKey::open(paths.platform_key(),
                                sealed ? base::IfMissing::Refuse : base::IfMissing::Make);
}

}  // namespace granary::agent
