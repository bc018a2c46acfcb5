// Releases as rows: what the control plane knows of a bundle that lies in the release store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "store/store.h"

namespace granary::registry {

// The app of `granary verify`: never what a tenant gets for want of a better one.
inline constexpr const char* kVerifyApp = "granary-verify";

struct Release {
  std::string hash;    // 64 hex digits: the content address
  base::ReleaseId id;  // for people
  std::string app;
  std::string manifest;  // canonical JSON (release::Manifest)
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::string actor;
  base::WallTime created;
};

// The same hash again returns the release that is there, whatever its id. Errors: AlreadyExists
// when the id names another content.
base::Result<Release> insert_release(store::Transaction& tx, Release release);
// An installation runs one app unless somebody says otherwise: the first one that came.
enum class NewApp { Refuse, Allow };
// The apps that have releases here, by name; without kVerifyApp.
base::Result<std::vector<std::string>> list_apps(store::Transaction& tx);
// Errors: Conflict when the installation runs others and not this one.
base::Result<void> check_app(const std::vector<std::string>& apps, const std::string& app,
                             NewApp new_app);
// As insert_release, with an entry of the audit log by its actor where it is new. Errors: also as
// check_app.
base::Result<Release> record_release(store::Transaction& tx, Release release, NewApp new_app);
// By id, whole hash, or a prefix of the hash of at least 6 digits; "latest" is the newest of `app`,
// where that is empty of the installation's one app.
// Errors: NotFound; Conflict when a prefix is ambiguous, or latest among several apps.
base::Result<Release> get_release(store::Transaction& tx, const std::string& name,
                                  const std::string& app = {});
base::Result<Release> get_release_by_hash(store::Transaction& tx, const std::string& hash);
// Accounts that are at the release or are to be, by name; at most `limit`.
base::Result<std::vector<std::string>> accounts_at(store::Transaction& tx, const std::string& hash,
                                                   std::uint32_t limit);
// Errors: Conflict while an account is at it, naming some.
base::Result<void> check_unused(store::Transaction& tx, const Release& release);
// Errors: the same.
base::Result<void> remove_release(store::Transaction& tx, const Release& release);
// Those that nobody would miss: made before then, not among the newest `keep` of their app, and no
// account is at them. Oldest first.
struct Spare {
  base::WallTime before;
  std::uint32_t keep = 0;
  std::uint32_t limit = 100;
};
base::Result<std::vector<Release>> spare_releases(store::Transaction& tx, const Spare& spare);
// Newest first.
base::Result<std::vector<Release>> list_releases(store::Transaction& tx, std::uint32_t limit);

}  // namespace granary::registry
