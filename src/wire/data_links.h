// Files of several names, while a tree is packed: under which name each of them is in the archive.
// An app can make as many of them as its disk has files, so their names lie in a file on the side;
// in memory are 50 bytes for each. Owned and used by one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::wire {

class DataLinks final {
 public:
  struct Target {
    std::uint64_t part = 0;
    std::string path;
  };
  // `beside`: a path whose folder has room for the file on the side, which has no name.
  explicit DataLinks(std::string beside) : beside_(std::move(beside)) {}

  // The name that this file has already; nothing at its first one, which is noted. `names`: how
  // many it has.
  base::Result<std::optional<Target>> find(ino_t inode, std::uint64_t names, std::uint64_t part,
                                           const std::string& path);

 private:
  struct Noted {
    std::uint64_t part = 0;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
    std::uint32_t left = 0;  // names that are still to come; it is forgotten after the last
  };
  std::string beside_;
  base::os::Fd file_;
  std::uint64_t size_ = 0;
  std::unordered_map<ino_t, Noted> noted_;
};

// A file that nobody else can open and that is gone with its descriptor, in the folder of `beside`.
base::Result<base::os::Fd> nameless_file(const std::string& beside);

}  // namespace granary::wire
