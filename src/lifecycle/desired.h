// From the registry's rows to what a cloud is asked for. Pure functions over rows; internal to
// this room.
#pragma once

#include <string>
#include <vector>

#include "base/sealing_key.h"
#include "cloud/driver.h"
#include "registry/account.h"
#include "registry/release_row.h"

namespace granary::lifecycle {

// What the account is to be now: its row, its release's manifest under its plan, its slots, and the
// secrets that the release declares, opened with `key`. Errors: NotFound, DataLoss (a manifest or
// a secret that cannot be read back).
base::Result<cloud::Desired> desired_of(store::Transaction& tx, const registry::Account& account,
                                        const base::SealingKey& key);

// What a secret's value is bound to when it is sealed.
std::string secret_context(const base::AccountId& account, const std::string& name);
// The settings named "flag.NAME": public, for the frontend too. "true" and "false" are booleans.
base::json::object flags_of(const std::map<std::string, std::string>& settings);

// Takes or frees slots so that each service of the release has one.
base::Result<void> take_slots(store::Transaction& tx, const base::AccountId& id,
                              const std::string& release_hash);
// The release is desired of the account from now on, with slots for its services.
base::Result<void> desire_release(store::Transaction& tx, const base::AccountId& id,
                                  const std::string& release_hash, base::WallTime now);

// What is asked for after a deployment, of every service that is reachable: its health path, or
// where it has none its first route, so that it is started once and a crash is found.
struct Question {
  std::string service;
  std::string path;
  enum class Wants { Success, AnyAnswer } wants = Wants::Success;
};
base::Result<std::vector<Question>> questions_of(const std::string& manifest);
// A path below this route that an app is not expected to have.
std::string path_of_nothing(const std::string& route);

base::Result<std::vector<std::string>> service_names(const std::string& manifest);
// Secrets that the account's release declares, and that are set neither for it nor for all. Sorted.
base::Result<std::vector<std::string>> secrets_not_set(store::Transaction& tx,
                                                       const registry::Account& account);

}  // namespace granary::lifecycle
