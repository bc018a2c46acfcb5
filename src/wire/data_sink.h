// Where a data archive's entries go while it is read: into a tree, or nowhere. For check_data() and
// unpack_data(). Owned and used by one thread.
#pragma once

#include <list>
#include <memory>
#include <string_view>
#include <vector>

#include "base/os/descent.h"
#include "base/result.h"
#include "wire/data_acl.h"
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

// Finds the folders that hard links lead into: from the root, each step from a descriptor to one
// name, and the last few are kept open. Owned and used by one thread.
class DataTargets final {
 public:
  explicit DataTargets(const base::os::Folder& root) : root_(root) {}

  // A part continues this folder.
  void add_part(std::uint64_t number, std::uint64_t in_part, std::string path);
  // A folder by its name in the archive. Errors: NotFound, Refused (no folder, or behind a link).
  base::Result<const base::os::Folder*> folder(std::uint64_t part, const std::string& path);

 private:
  struct Place {
    std::uint64_t part = 0;
    std::string path;
    bool operator==(const Place&) const = default;
  };
  struct Kept {
    Place place;
    base::os::Folder folder;
  };
  const base::os::Folder* kept(const Place& place);
  base::Result<const base::os::Folder*> open(const base::os::Folder& from, const Place& place);

  const base::os::Folder& root_;
  std::vector<Place> parts_;  // what part N + 1 continues
  std::list<Kept> kept_;      // the last used one first
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
  // Of a folder, what it gets once all is in it: that would change its time, and take its default
  // access list over.
  struct Open {
    mode_t mode = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    std::string default_list;
  };
  struct Part {
    std::uint64_t number = 0;
    std::size_t depth = 0;  // of its own folder
  };
  base::Result<void> go_to_parent(const DataEntry& entry);
  base::Result<void> make(const std::string& name, const DataEntry& entry);
  base::Result<void> make_folder(const std::string& name, const DataEntry& entry);
  base::Result<void> make_link(const std::string& name, const DataEntry& entry);
  base::Result<void> make_hard_link(const std::string& name, const DataEntry& entry);
  base::Result<void> opened(int fd, const DataEntry& entry);
  base::Result<void> close_folder();
  // Owner and attributes.
  base::Result<void> dress(int fd, const DataEntry& entry) const;
  base::Result<void> set_list(int fd, std::string_view name, std::string_view list) const;

  const AccountIds ids_;
  base::os::Descent way_;
  DataTargets targets_;
  std::vector<Open> open_;   // from the root down to where the last entry lies
  std::vector<Part> parts_;  // that it lies in
  DataEntry last_;           // the last folder, which a part may continue
  base::os::Fd file_;        // the current one
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
