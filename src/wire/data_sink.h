// Where a data archive's entries go while it is read: into a tree, or nowhere. For check_data() and
// unpack_data(). Owned and used by one thread.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/os/folder.h"
#include "base/result.h"
#include "wire/data_entry.h"

namespace granary::wire {

class DataSink {
 public:
  virtual ~DataSink() = default;
  // Entries are checked and in order; of a file, what is stored follows, then end_file().
  virtual base::Result<void> begin(const DataEntry& entry) = 0;
  virtual base::Result<void> write(std::uint64_t offset, std::string_view bytes) = 0;
  virtual base::Result<void> end_file(const DataEntry& entry) = 0;
  virtual base::Result<void> finish() = 0;
};

// Everything below an open folder: each step from a descriptor to one name, following no link.
class DataTreeSink final : public DataSink {
 public:
  DataTreeSink(base::os::Folder root, uid_t uid, gid_t gid);

  base::Result<void> begin(const DataEntry& entry) override;
  base::Result<void> write(std::uint64_t offset, std::string_view bytes) override;
  base::Result<void> end_file(const DataEntry& entry) override;
  base::Result<void> finish() override;

 private:
  struct Open {
    DataEntry entry;
    base::os::Folder folder;
  };
  base::Result<void> make(const base::os::Folder& parent, const std::string& name,
                          const DataEntry& entry);
  base::Result<void> make_hard_link(const base::os::Folder& parent, const std::string& name,
                                    const DataEntry& entry);
  base::Result<void> close_folder();
  base::Result<void> dress(int fd, const DataEntry& entry) const;

  const uid_t uid_;
  const gid_t gid_;
  base::os::Folder root_;
  std::vector<Open> open_;  // from the root down to where the last entry lies
  base::os::Fd file_;       // the current one
};

class NullDataSink final : public DataSink {
 public:
  base::Result<void> begin(const DataEntry& /*entry*/) override { return {}; }
  base::Result<void> write(std::uint64_t /*offset*/, std::string_view /*bytes*/) override {
    return {};
  }
  base::Result<void> end_file(const DataEntry& /*entry*/) override { return {}; }
  base::Result<void> finish() override { return {}; }
};

}  // namespace granary::wire
