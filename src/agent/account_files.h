// Accounts as the agent keeps them on disk: a folder each, with its desired state in account.json.
// Blocking; stateless.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "wire/account_state.h"
#include "wire/paths.h"

namespace granary::agent {

class AccountFiles final {
 public:
  explicit AccountFiles(wire::Paths paths) : paths_(std::move(paths)) {}

  // Folders that hold all others; idempotent.
  base::Result<void> prepare() const;
  // Durable when it returns; makes the account's folders where they are missing.
  base::Result<void> save(const wire::AccountSpec& spec) const;
  // All accounts, by name. What cannot be read is told in `damaged`, never fatal.
  struct Loaded {
    std::vector<wire::AccountSpec> specs;
    std::vector<base::Error> damaged;
  };
  base::Result<Loaded> load_all() const;
  // Moves the account's folder to the graveyard, at once and durably. Unknown: success.
  base::Result<void> bury(const base::AccountId& account) const;
  base::Result<void> bury_release(const std::string& hash) const;
  // Deletes what lies in the graveyard.
  base::Result<void> reap() const;

 private:
  base::Result<void> bury_folder(const std::string& folder, const std::string& name) const;
  wire::Paths paths_;
};

}  // namespace granary::agent
