// A tree as an app could make it by any system calls that it has: names of any bytes, holes, links
// to links, times before 1970, attributes, access lists, pipes, deep folders. The same seed makes
// the same tree. For tests.
#pragma once

#include <string>

#include "base/left_out.h"
#include "base/os/descent.h"
#include "base/rng.h"

namespace granary::wire::testing {

struct HostileTreeOptions {
  std::size_t entries = 100;
  std::size_t deepest = 12;  // of folders made at random
};

class HostileTree final {
 public:
  // Fills this folder, which is empty.
  HostileTree(const std::string& folder, base::Rng& rng, HostileTreeOptions options);

  // How many of each kind no archive holds; without names.
  const base::LeftOut& left_out() const { return left_out_; }

 private:
  void grow();
  void add_folder();
  void leave();
  void add_file();
  void add_pipe_or_socket();
  void add_symlink();
  void add_hard_link();
  void add_attributes(int fd);
  void add_lists(int fd, mode_t kind);
  void set_time(const std::string& name);
  mode_t any_mode();
  std::string fresh_name();
  std::string any_bytes(std::size_t length);
  std::uint64_t below(std::uint64_t limit) { return rng_.below(limit); }

  base::Rng& rng_;
  const HostileTreeOptions options_;
  base::os::Descent way_;
  struct Level {
    std::string name;
    mode_t mode = 0;
  };
  std::vector<Level> levels_;
  struct Named {
    int folder = -1;  // held by folders_
    std::string name;
  };
  std::vector<base::os::Folder> folders_;
  std::vector<Named> linkable_;
  base::LeftOut left_out_;
};

// Folders in folders, so many, each of this name, with a file at the end.
void make_deep(const std::string& folder, const std::string& name, std::size_t depth);

}  // namespace granary::wire::testing
