// A folder held open, for walking and building trees that others may change meanwhile: every step
// goes from a descriptor to one name below it and never through a symbolic link, so nothing can
// lead out of the tree. Blocking. A name is one part of a path; a slash in it is a bug (asserted).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/os/fd.h"
#include "base/result.h"

namespace granary::base::os {

enum class EntryKind { File, Folder, Link, Fifo, Socket, Device };
// "a file", "a folder", ... for errors.
std::string_view to_string(EntryKind kind);

struct EntryStatus {
  EntryKind kind = EntryKind::File;
  mode_t mode = 0;  // the permission bits, with setuid, setgid and sticky
  std::uint64_t size = 0;
};

struct OpenFile {
  Fd fd;
  EntryStatus status;  // of what was opened, not of what the name meant before
};

class Folder final {
 public:
  // The one place where links are followed: where a tree begins is the caller's choice.
  static Result<Folder> open(const std::string& path);

  // Another descriptor of this very folder.
  Result<Folder> again() const;
  // The folder that it lies in, wherever that is by now.
  Result<Folder> parent() const;
  // For what is not offered here. Borrowed.
  int fd() const { return fd_.get(); }

  // Names without . and .., sorted by their bytes. Errors: Exhausted for more than `limit`,
  // without having read them all.
  Result<std::vector<std::string>> names(std::size_t limit) const;
  // For a folder of any size: the first names after this one ("": from the beginning), as many as
  // take so many bytes of memory. Each call reads all of the folder.
  struct Names {
    std::vector<std::string> names;  // sorted by their bytes
    bool all = true;                 // false: others come after these
  };
  Result<Names> names_after(std::string_view last, std::size_t most_bytes) const;
  // Of the entry itself, never of what a link leads to. Errors: NotFound.
  Result<EntryStatus> status(const std::string& name) const;
  // Errors: NotFound; Refused for a link or anything but a folder.
  Result<Folder> open_folder(const std::string& name) const;
  // For reading. Errors: NotFound; Refused for a link or anything but a regular file.
  Result<OpenFile> open_file(const std::string& name) const;
  Result<std::string> read_link(const std::string& name) const;

  // Make something new; `mode` holds whatever the umask is. Errors: AlreadyExists.
  Result<Folder> make_folder(const std::string& name, mode_t mode) const;
  Result<Fd> make_file(const std::string& name, mode_t mode) const;
  Result<void> make_link(const std::string& name, const std::string& target) const;

 private:
  explicit Folder(Fd fd) : fd_(std::move(fd)) {}
  template <class Each>
  Result<void> read(Each each) const;
  Fd fd_;
};

}  // namespace granary::base::os
