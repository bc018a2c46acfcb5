// What all silos see of this machine's /etc and /var, as it is now: what programs in /usr need of
// it (settings of runtimes, certificates, alternatives), and never more than the list in
// shared_files.cc names. Copied into folders that each silo has read-only, so that a start mounts
// two of them and not dozens, and silos that run see what changes. Owned by the host's parts; any
// worker thread may call it. Blocking.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/os/turns.h"
#include "base/result.h"
#include "wire/paths.h"

namespace granary::agent {

struct SharedFolders {
  std::string root;  // of what is shown: empty for this machine's own
  std::string to;    // holds etc, and var where there is anything
};
SharedFolders shared_folders(const wire::Paths& paths);

class SharedFiles final {
 public:
  // `own`: names in etc that are not touched.
  SharedFiles(SharedFolders folders, std::vector<std::string> own);

  // Makes the copy anew where this machine's files have changed. Quick where they have not; looks
  // no more often than limits.h says.
  base::Result<void> refresh(base::BootTime now);

 private:
  enum class Kind { Folder, File, Link };
  // Equal for as long as nobody changes it or puts another in its place.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t changed = 0;  // nanoseconds
    bool operator==(const Stamp&) const = default;
  };
  struct Item {
    Kind kind = Kind::File;
    Stamp stamp;
    std::string target;  // Link
    bool operator==(const Item&) const = default;
  };
  using Items = std::map<std::string, Item>;  // by path from the root, without its first slash
  class Walk;

  static std::optional<Stamp> stamp_of(const std::string& path);
  base::Result<void> refresh_alone(base::BootTime now);
  bool unchanged() const;
  base::Result<void> put(const std::string& path, const Item& item) const;
  void prune(const std::string& path) const;

  const SharedFolders folders_;
  const std::vector<std::string> own_;
  base::os::Turns turns_;  // for what follows
  std::optional<base::BootTime> looked_;
  Items items_;
  std::map<std::string, std::optional<Stamp>> watched_;  // by path; nothing: there was none
};

}  // namespace granary::agent
