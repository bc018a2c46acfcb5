// Starts a program inside a container's beginnings: in given cgroups, in a mount namespace of its
// own with one more file system, as another user, with exactly the descriptors named. Each step
// has a name, and a failure says which. Blocking until the program executes; for a worker. For
// ordinary children see child.h.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/os/fd.h"
#include "base/os/file.h"
#include "base/os/fscrypt.h"
#include "base/result.h"

namespace granary::base::os {

// Where a mount is made, in the child's namespace alone.
struct PrivateMount {
  std::string device;
  std::string target;  // an existing folder
  std::string type;
  std::string options;
  // Of an encrypted file system: what opens it, the folder on it that the key is for, and whose
  // that folder is when it is made. Outlives the start. Null: not encrypted.
  const FolderKey* key = nullptr;
  std::string folder;
  Ownership owner{0, 0};
  // A second folder on it, of the same owner and under the same key, made where it is missing, in
  // `scratch_parent`, and mounted on the existing folder `scratch_target` as well. Empty: none.
  // Where the disk has no room to make it, there is none either.
  std::string scratch;
  std::string scratch_parent;
  std::string scratch_target;
};

// A folder of the child's own, in memory, that shows others of this machine. All of it is read-only
// for whoever the child becomes. All paths are absolute.
struct ShownFolders {
  struct Folder {
    std::string source;
    std::string at;  // below `target`
  };
  struct Link {
    std::string to;
    std::string at;
  };
  // A file of a shown folder that says this instead.
  struct Said {
    std::string text;
    std::string file;  // directly below `target`; holds the text
    std::string at;
  };
  std::string target;  // an existing folder; empty: nothing is shown
  std::vector<Folder> folders;
  std::vector<Link> links;
  std::vector<Said> said;
};

struct HandedFd {
  int from;
  int number;  // in the child; at least 3, below 256
};

struct ContainedChildOptions {
  std::vector<std::string> argv;         // argv[0] is an absolute path
  std::vector<std::string> environment;  // NAME=value
  // cgroup v1: the `tasks` files, open for writing. A lone task that moves itself waits for nobody;
  // writing to cgroup.procs would wait for an RCU grace period.
  std::vector<int> join;
  int cgroup = -1;                    // cgroup v2: its folder; the child is born in it
  std::optional<PrivateMount> mount;  // with it comes a mount namespace
  std::string read_only;              // in that namespace, a folder to be so; empty: none
  ShownFolders shown;                 // in that namespace
  std::optional<Ownership> identity;
  std::vector<HandedFd> descriptors;
  int stdio = -1;  // standard output and error; input is /dev/null
};

struct ContainedChild {
  pid_t pid = 0;
  Fd pidfd;
};

// Errors: of the step that failed, with its name as context; nothing is left of the child then.
Result<ContainedChild> start_contained(const ContainedChildOptions& options);

}  // namespace granary::base::os
