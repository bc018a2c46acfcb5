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

// Kept: without what no archive holds, which is pipes, sockets, devices and set-id bits.
enum class Described { All, Kept };

// Of everything below a folder, and the folder itself: a line each with its depth, name, kind,
// mode, time, owner's uid, attributes, size, stored blocks, hash, target, and which earlier one is
// the same file. However deep the folder is.
std::string describe_tree(const std::string& folder, Described what = Described::All);

}  // namespace granary::wire::testing
