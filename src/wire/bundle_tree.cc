#include "wire/bundle_tree.h"

#include "base/text.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;
using base::os::Folder;

constexpr mode_t kSetIdBits = 06000;
constexpr mode_t kExecutableBits = 0111;

// Setuid means nothing where every program gets no_new_privs, so whoever set it expects something
// that will not happen. On folders setgid is only about who owns new files.
Result<void> check_mode(const std::string& path, mode_t mode) {
  if ((mode & kSetIdBits) == 0) return {};
  return base::fail_with_advice(
      Code::InvalidArgument,
      fmt::format("{} is setuid or setgid (mode {:04o})", base::quote(path), mode),
      "Run `chmod ug-s` on it: nothing in a silo gains rights by running a file");
}

class Walk final {
 public:
  Walk(const TreeFilter& leaves_out, const BundleLimits& limits, const TreeVisitor& visitor)
      : leaves_out_(leaves_out), limits_(limits), visitor_(visitor), totals_(limits) {}

  // `prefix` is the folder's path with a slash at its end; empty for the root. The recursion is
  // bounded by limits.depth, which check_entry holds each path to.
  Result<void> folder(const Folder& folder, const std::string& prefix) {
    auto names = folder.names(limits_.entries);
    if (!names) return base::annotate(names.error(), "reading " + base::quote(prefix + "."));
    for (const std::string& name : *names) TRY(entry(folder, name, prefix + name));
    return {};
  }

 private:
  Result<void> entry(const Folder& folder, const std::string& name, const std::string& path) {
    auto status = folder.status(name);
    if (!status) return base::annotate(status.error(), "reading " + base::quote(path));
    BundleEntry entry;
    entry.kind = status->kind;
    entry.path = path;
    TRY_ASSIGN(const bool left_out, leaves_out_(folder, entry));
    if (left_out) return {};
    auto visited =
        entry.kind == EntryKind::File ? file(folder, name, entry) : other(folder, name, entry);
    if (!visited && visited.error().code == Code::NotFound) {
      return base::fail_with_advice(Code::Conflict,
                                    fmt::format("{} went away meanwhile", base::quote(path)),
                                    "Try again when nothing writes into the folder");
    }
    return visited;
  }

  Result<void> file(const Folder& folder, const std::string& name, BundleEntry& entry) {
    auto file = folder.open_file(name);
    if (!file) return base::annotate(file.error(), "reading " + base::quote(entry.path));
    TRY(check_mode(entry.path, file->status.mode));
    entry.size = file->status.size;
    if ((file->status.mode & kExecutableBits) != 0) entry.executable = Executable::Yes;
    TRY(check_entry(entry, limits_));
    TRY(totals_.add(entry));
    return visitor_(entry, file->fd.get());
  }

  Result<void> other(const Folder& parent, const std::string& name, BundleEntry& entry) {
    if (entry.kind == EntryKind::Link) {
      TRY_ASSIGN(entry.target, parent.read_link(name));
    }
    TRY(check_entry(entry, limits_));
    TRY(totals_.add(entry));
    TRY(visitor_(entry, -1));
    if (entry.kind != EntryKind::Folder) return {};
    auto below = parent.open_folder(name);
    if (!below) return base::annotate(below.error(), "reading " + base::quote(entry.path));
    return folder(*below, entry.path + "/");
  }

  const TreeFilter& leaves_out_;
  const BundleLimits& limits_;
  const TreeVisitor& visitor_;
  BundleTotals totals_;
};

}  // namespace

Result<bool> whole_tree(const Folder& /*parent*/, const BundleEntry& /*entry*/) { return false; }

Result<void> walk_tree(const Folder& root, const TreeFilter& leaves_out, const BundleLimits& limits,
                       const TreeVisitor& visitor) {
  return Walk(leaves_out, limits, visitor).folder(root, "");
}

}  // namespace granary::wire
