// One file, folder or link of a bundle, and the rules that it must keep: the same for whoever
// packs and whoever unpacks, so that neither trusts the other. Value types, pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "base/os/folder.h"
#include "base/result.h"
#include "wire/bundle_limits.h"

namespace granary::wire {

enum class Executable { No, Yes };

struct BundleEntry {
  base::os::EntryKind kind = base::os::EntryKind::File;  // File, Folder or Link
  std::string path;                                      // "web/index.html"
  Executable executable = Executable::No;                // files: 0755 rather than 0644
  std::uint64_t size = 0;                                // files
  std::string target;                                    // links
  bool operator==(const BundleEntry&) const = default;
};

// Path: relative, of names that are printable UTF-8 and neither . nor .., within the bounds.
// Link: relative; .. only at its beginning and never above the bundle's root, so that whatever
// the names on the way are, following it cannot leave the bundle.
// Errors: InvalidArgument; Exhausted (a bound).
base::Result<void> check_entry(const BundleEntry& entry, const BundleLimits& limits);

// Counts entries and bytes against the bounds.
class BundleTotals final {
 public:
  explicit BundleTotals(const BundleLimits& limits) : limits_(limits) {}
  // Errors: Exhausted.
  base::Result<void> add(const BundleEntry& entry);
  std::size_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  BundleLimits limits_;
  std::size_t entries_ = 0;
  std::size_t files_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace granary::wire
