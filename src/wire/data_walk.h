// The walk over an account's data: every entry once, in the archive's order, following no link. A
// tree may be as deep, a folder as large, and a file have as many names, as the disk let an app
// make them: there is no recursion, few folders are open, and of names only so many are in memory.
// For pack_data(). Owned and used by one thread.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "base/os/descent.h"
#include "base/result.h"
#include "wire/data_archive.h"
#include "wire/data_links.h"
#include "wire/data_writer.h"

namespace granary::wire {

class DataWalk final {
 public:
  // `beside` as DataLinks'.
  DataWalk(DataWriter& writer, base::os::Folder root, const std::string& beside,
           const DataPackOptions& options);

  base::Result<DataTotals> run();

 private:
  // A folder on the way down to where the walk is.
  struct Level {
    std::vector<std::string> names;  // still to come, the next one last
    bool all = false;                // false: more come after these
    std::uint32_t path_bytes = 0;    // of its path
    bool begins_part = false;
  };
  // A part that the walk comes back to.
  struct Outer {
    std::uint64_t part = 0;
    std::string path;
  };

  base::Result<std::optional<std::string>> next_name();
  base::Result<void> read_names(Level& level);
  void forget_names();
  base::Result<void> add(const std::string& name);
  base::Result<void> add_folder(const std::string& name, base::os::Folder folder);
  base::Result<void> add_link(const std::string& name, const struct stat& status);
  base::Result<void> add_file(const std::string& name);
  base::Result<void> copy_file(DataEntry entry, int file);
  // Whether it is one more name of what the archive has.
  base::Result<bool> add_name(const struct stat& status, DataEntry& entry);
  base::Result<void> enter(const DataEntry& entry);
  base::Result<void> leave();
  void give_up_to_root();
  DataEntry entry_of(DataKind kind, const std::string& path, const struct stat& status) const;
  base::Result<void> take_notes(int fd, const struct stat& status, DataEntry& entry);
  base::Result<std::size_t> take_attribute(int fd, const struct stat& status,
                                           const std::string& name, DataEntry& entry);
  std::string path_of(const std::string& name) const;
  void leave_out(base::LeftOutKind kind, const std::string& path);
  base::Result<bool> is_own_folder(const std::string& name, const base::os::Folder& folder) const;
  bool tolerated(const base::Error& error, const std::string& path);

  DataWriter& writer_;
  const DataPackOptions& options_;
  base::os::Descent way_;
  DataLinks links_;
  DataTotals totals_;
  std::vector<Level> levels_;
  std::size_t forgotten_ = 0;  // levels before this one hold no names
  std::size_t held_ = 0;       // names in all levels
  std::string last_;           // the name in the current folder that was taken last
  std::uint64_t part_ = 0;
  std::uint64_t last_part_ = 0;
  std::string path_;  // of the current folder, in its part
  std::vector<Outer> outer_;
  std::string buffer_;  // for attributes
};

}  // namespace granary::wire
