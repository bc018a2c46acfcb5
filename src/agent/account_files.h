// Accounts as the agent keeps them on disk: a folder each, with its desired state in account.json.
// Its secrets lie beside it, sealed with the platform key, in a file that is named by the version
// of that state: so the two change together, when account.json does. Blocking; holds nothing but
// that key, so usable from any thread once it is prepared.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sealing_key.h"
#include "wire/account_state.h"
#include "wire/paths.h"
#include "wire/secrets.h"

namespace granary::agent {

class AccountFiles final {
 public:
  explicit AccountFiles(wire::Paths paths) : paths_(std::move(paths)) {}

  // Folders that hold all others, and the platform key; idempotent. Before all else.
  // Errors: DataLoss (the platform key is damaged).
  base::Result<void> prepare();
  // Makes the account's own folders, where its disk is made before it is saved. Idempotent.
  base::Result<void> prepare(const base::AccountId& account) const;
  // Durable when it returns: from then on the account exists. Its folders are there.
  base::Result<void> save(const wire::AccountSpec& spec) const;
  // All accounts, by name. One that cannot be read, or lost its account.json, is never fatal.
  struct Damaged {
    base::AccountId account;
    std::string problem;  // for people
  };
  struct Loaded {
    std::vector<wire::AccountSpec> specs;
    std::vector<Damaged> damaged;
  };
  base::Result<Loaded> load_all() const;
  // Moves the account's folder to the graveyard, at once and durably. Unknown: success.
  base::Result<void> bury(const base::AccountId& account) const;
  base::Result<void> bury_release(const std::string& hash) const;
  // Deletes what lies in the graveyard.
  base::Result<void> reap() const;

 private:
  base::Result<void> save_secrets(const wire::AccountSpec& spec) const;
  base::Result<wire::Secrets> load_secrets(const wire::AccountSpec& spec) const;
  base::Result<void> forget_old_secrets(const wire::AccountSpec& spec) const;
  base::Result<wire::AccountSpec> load(const base::AccountId& id, const std::string& text) const;
  base::Result<void> bury_folder(const std::string& folder, const std::string& name) const;
  wire::Paths paths_;
  std::unique_ptr<base::SealingKey> key_;  // the platform's
};

}  // namespace granary::agent
