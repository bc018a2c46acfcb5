// What is kept of tenants beside their accounts: archives that lie in the folder of archives, and
// certificates of what was destroyed. Rows; each function runs inside a transaction of the
// caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/json.h"
#include "store/store.h"

namespace granary::registry {

enum class ArchiveKind {
  Export,  // asked for; goes when it expires
  Final,   // made by an offboarding; goes with the account
  Upload,  // to be restored; goes when that has ended
};
std::string_view to_string(ArchiveKind kind);

struct Archive {
  std::string id;  // ULID: its file's name
  base::AccountId account;
  ArchiveKind kind = ArchiveKind::Export;
  std::uint64_t bytes = 0;
  std::string sha256;  // of the file, in hex
  base::WallTime created;
  base::WallTime expires;
  bool operator==(const Archive&) const = default;
};

// The same id again changes it.
base::Result<void> put_archive(store::Transaction& tx, const Archive& archive);
base::Result<std::optional<Archive>> find_archive(store::Transaction& tx, const std::string& id);
base::Result<std::vector<Archive>> archives_of(store::Transaction& tx,
                                               const base::AccountId& account);
struct ArchiveFilter {
  base::AccountId account;  // empty: all
  std::string after;        // id; ascending
  std::uint32_t limit = 100;
};
base::Result<std::vector<Archive>> list_archives(store::Transaction& tx,
                                                 const ArchiveFilter& filter);
base::Result<std::vector<Archive>> expired_archives(store::Transaction& tx, base::WallTime now,
                                                    std::uint32_t limit);
// Unknown: success.
base::Result<void> remove_archive(store::Transaction& tx, const std::string& id);

struct Certificate {
  std::string operation;  // the offboarding's
  base::AccountId account;
  base::json::object envelope;  // DSSE; base/signature.h
  base::WallTime created;
};
base::Result<void> put_certificate(store::Transaction& tx, const Certificate& certificate);
// Newest first; `account` empty: all.
base::Result<std::vector<Certificate>> list_certificates(store::Transaction& tx,
                                                         const base::AccountId& account,
                                                         const std::string& before,
                                                         std::uint32_t limit);
// Errors: NotFound.
base::Result<Certificate> get_certificate(store::Transaction& tx, const std::string& operation);

}  // namespace granary::registry
