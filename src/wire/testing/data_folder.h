// A temporary folder for tests of data archives, and what stands in a folder as one text, so that
// two can be compared. Removes itself.
#pragma once

#include <string>

namespace granary::wire::testing {

class DataFolder final {
 public:
  DataFolder();
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string in(const std::string& name) const { return path_ + "/" + name; }
  void file(const std::string& name, const std::string& bytes, unsigned mode = 0644) const;
  void folder(const std::string& name, unsigned mode = 0755) const;
  void link(const std::string& name, const std::string& target) const;

 private:
  std::string path_;
};

// Of everything below a folder, and the folder itself: a line each with its kind, mode, time, size,
// owner's uid, allocated blocks, hash, attributes, target, and which other names are the same file.
std::string describe_tree(const std::string& folder);

}  // namespace granary::wire::testing
