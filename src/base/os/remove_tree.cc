#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/descent.h"
#include "base/os/file.h"
#include "base/os/syscall.h"

// Removing a tree that an app made: as deep, and each folder as large, as its disk let it.
namespace granary::base::os {
namespace {

constexpr std::size_t kNames = 4U << 20;  // bytes of names of one folder in memory at once

struct Level {
  std::string name;                  // in the folder above
  std::vector<std::string> folders;  // that are still in it
};

class Removal final {
 public:
  explicit Removal(Folder root) : way_(std::move(root)) {}

  Result<void> run() {
    levels_.emplace_back();
    while (!levels_.empty()) {
      if (levels_.back().folders.empty()) TRY(empty_here());
      if (levels_.back().folders.empty()) {
        TRY(leave());
      } else {
        TRY(enter());
      }
    }
    return {};
  }

 private:
  // All but the folders in it, and as many of those as are to be entered first.
  Result<void> empty_here() {
    Level& level = levels_.back();
    for (bool more = true; more && level.folders.empty();) {
      TRY_ASSIGN(const Folder::Names found, way_.here().names_after("", kNames));
      for (const std::string& name : found.names) {
        if (::unlinkat(way_.here().fd(), name.c_str(), 0) == 0 || errno == ENOENT) continue;
        if (errno != EISDIR) return std::unexpected(from_errno(errno, "unlinkat", name));
        level.folders.push_back(name);
      }
      more = !found.all;
    }
    return {};
  }

  Result<void> enter() {
    std::string name = std::move(levels_.back().folders.back());
    levels_.back().folders.pop_back();
    auto below = way_.here().open_folder(name);
    if (!below && below.error().code == Code::Refused) {
      // Its owner may have closed it to himself; no link is followed, or only one of his own.
      (void)::fchmodat(way_.here().fd(), name.c_str(), 0700, 0);
      below = way_.here().open_folder(name);
    }
    if (!below) return std::unexpected(std::move(below).error());
    TRY(same_file_system(*below, name));
    TRY(way_.enter(std::move(*below)));
    levels_.push_back({std::move(name), {}});
    return {};
  }

  Result<void> leave() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    if (levels_.empty()) return {};
    TRY(way_.leave());
    TRY(checked("unlinkat", name,
                [&] { return ::unlinkat(way_.here().fd(), name.c_str(), AT_REMOVEDIR); }));
    return {};
  }

  Result<void> same_file_system(const Folder& below, const std::string& name) {
    struct stat here{};
    struct stat there{};
    TRY(checked("fstat", name, [&] { return ::fstat(way_.root().fd(), &here); }));
    TRY(checked("fstat", name, [&] { return ::fstat(below.fd(), &there); }));
    if (here.st_dev == there.st_dev) return {};
    return fail(Code::Refused, "{} is another file system; unmount it first", name);
  }

  Descent way_;
  std::vector<Level> levels_;
};

}  // namespace

Result<void> remove_tree(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return std::unexpected(from_errno(errno, "lstat", path));
  }
  if (!S_ISDIR(status.st_mode)) return remove_file(path);
  TRY_ASSIGN(Folder root, Folder::open(path));
  if (auto emptied = Removal(std::move(root)).run(); !emptied)
    return annotate(std::move(emptied).error(), "removing " + path);
  TRY(checked("rmdir", path, [&] { return ::rmdir(path.c_str()); }));
  return {};
}

}  // namespace granary::base::os
