// A folder of a test's own, removed with all that is in it. Single-threaded use of one object;
// any number of tests and processes beside each other.
#pragma once

#include <unistd.h>

#include <atomic>
#include <string>

#include "base/check.h"
#include "base/os/file.h"

namespace granary::base::testing {

class TemporaryFolder final {
 public:
  TemporaryFolder() {
    static std::atomic<int> count{0};
    path_ = fmt::format("/tmp/granary-test-{}-{}", ::getpid(), ++count);
    ASSERT(os::remove_tree(path_).has_value());
    ASSERT(os::make_folders(path_, 0700).has_value());
  }
  ~TemporaryFolder() { (void)os::remove_tree(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // A file with these bytes; folders on the way are made.
  void write(const std::string& name, std::string_view bytes, mode_t mode = 0644) const {
    const std::string path = path_ + "/" + name;
    ASSERT(os::make_folders(path.substr(0, path.rfind('/')), 0755).has_value());
    ASSERT(os::replace_file(path, bytes, mode, os::Durability::Cached).has_value());
  }

 private:
  std::string path_;
};

}  // namespace granary::base::testing
