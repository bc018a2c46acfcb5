// Who changed what: an append-only log in which each entry holds the hash of the one before it, so
// that an entry that was changed, taken out or put in is found. What was cut off at its end is
// found by whoever kept an earlier head. Inside a transaction of the caller's: the entry is durable
// with the change that it tells of, or neither is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "store/store.h"

namespace granary::registry {

struct AuditEntry {
  std::int64_t number = 0;  // 1, 2, 3, ... without a gap
  base::WallTime at;
  std::string actor;          // token/01J..., operation/01J...
  std::string action;         // tenant.create, token.revoke
  std::string subject;        // tenant/acme
  base::json::object before;  // the members that changed, as they were; empty: it is new
  base::json::object after;   // and as they are; empty: it is gone
  std::string previous;       // hash of the entry before; 64 zeroes for the first
  std::string hash;           // hex SHA-256 of all of the above
};

struct AuditChange {
  std::string actor;
  std::string action;
  std::string subject;
  base::json::object before;  // whole documents: what is equal in both is left out
  base::json::object after;
};
base::Result<AuditEntry> append_audit(store::Transaction& tx, AuditChange change,
                                      base::WallTime now);

struct AuditFilter {
  std::string subject;  // empty: all; "tenant/acme"
  std::optional<base::WallTime> since;
  std::int64_t after = 0;  // number; ascending
  std::uint32_t limit = 100;
};
base::Result<std::vector<AuditEntry>> list_audit(store::Transaction& tx, const AuditFilter& filter);

// The end of the chain: what to keep elsewhere.
struct AuditHead {
  std::int64_t number = 0;  // 0: there is no entry
  std::string hash;
  bool operator==(const AuditHead&) const = default;
};
base::Result<AuditHead> audit_head(store::Transaction& tx);

struct AuditCheck {
  std::int64_t entries = 0;
  AuditHead head;
  std::string problem;  // the first one found, with its number; empty: the chain holds
};
// Reads all entries, a page at a time. With `known`, the chain must also still hold that head.
base::Result<AuditCheck> verify_audit(store::Transaction& tx,
                                      const std::optional<AuditHead>& known = std::nullopt);

}  // namespace granary::registry
