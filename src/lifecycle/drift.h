// Where what is differs from what is to be: rows of the registry against accounts of the clouds.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace granary::lifecycle {

enum class DriftKind {
  Outdated,  // the account is of an older version than its row
  Missing,   // a row, and no account in its cloud: its data is lost
  Orphan,    // an account that belongs to no row
  Damaged,   // the cloud itself says that something of the account is broken
};
std::string_view to_string(DriftKind kind);

struct DriftItem {
  base::AccountId account;
  std::string cloud;
  DriftKind kind = DriftKind::Outdated;
  std::string detail;  // for people: what is, what should be
  std::string advice;  // what to do
  bool mends = false;  // converging it loses nothing, and may well make it good
  bool operator==(const DriftItem&) const = default;
};

struct Drift {
  std::uint64_t compared = 0;    // accounts and rows
  std::uint64_t under_way = 0;   // with an operation that is not final: not judged
  std::vector<DriftItem> items;  // by account
};

// Beyond what loses nothing: accounts whose loss is accepted, each by its name.
struct Repair {
  std::vector<base::AccountId> recreate;  // Missing and Damaged ones: anew, with an empty disk
  std::vector<base::AccountId> destroy;   // Orphan ones: with all their data
};

}  // namespace granary::lifecycle
