#include "wire/data_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "base/os/syscall.h"
#include "base/text.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::checked;
using base::os::Folder;

// While it is being filled nobody else may look into it.
constexpr mode_t kHalfMade = 0700;

struct SplitPath {
  std::string parent;
  std::string name;
};
SplitPath split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

struct Times {
  Times(std::int64_t seconds, std::int64_t nanoseconds) {
    both[0].tv_sec = both[1].tv_sec = seconds;
    both[0].tv_nsec = both[1].tv_nsec = static_cast<long>(nanoseconds);
  }
  explicit Times(const DataEntry& entry) : Times(entry.mtime_seconds, entry.mtime_nanoseconds) {}
  timespec both[2] = {};
};

}  // namespace

DataTreeSink::DataTreeSink(Folder root, uid_t uid, gid_t gid)
    : ids_{uid, gid}, way_(std::move(root)), targets_(way_.root()) {}

Result<void> DataTreeSink::set_list(int fd, std::string_view name, std::string_view list) const {
  const std::string value = acl_from_archive(list, ids_);
  TRY(checked("fsetxattr", name, [&] {
    return ::fsetxattr(fd, std::string(name).c_str(), value.data(), value.size(), 0);
  }));
  return {};
}

// Owner first: changing it would drop bits of the mode.
Result<void> DataTreeSink::dress(int fd, const DataEntry& entry) const {
  TRY(checked("fchown", entry.path, [&] { return ::fchown(fd, ids_.uid, ids_.gid); }));
  for (const auto& [name, value] : entry.attributes) {
    if (is_acl_name(name)) continue;
    TRY(checked("fsetxattr", base::quote(name),
                [&] { return ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0); }));
  }
  const auto list = entry.attributes.find(std::string(kAccessList));
  return list == entry.attributes.end() ? Result<void>() : set_list(fd, list->first, list->second);
}

// Times last: all else changes them.
Result<void> DataTreeSink::close_folder() {
  const Open last = std::move(open_.back());
  open_.pop_back();
  const int fd = way_.here().fd();
  TRY(checked("fchmod", "folder", [&] { return ::fchmod(fd, last.mode & 01777U); }));
  if (!last.default_list.empty()) TRY(set_list(fd, kDefaultList, last.default_list));
  const Times times(last.seconds, last.nanoseconds);
  TRY(checked("futimens", "folder", [&] { return ::futimens(fd, times.both); }));
  return open_.empty() ? Result<void>() : way_.leave();
}

Result<void> DataTreeSink::opened(int fd, const DataEntry& entry) {
  TRY(dress(fd, entry));
  Open open{.mode = entry.mode,
            .seconds = entry.mtime_seconds,
            .nanoseconds = entry.mtime_nanoseconds,
            .default_list = {}};
  const auto list = entry.attributes.find(std::string(kDefaultList));
  if (list != entry.attributes.end()) open.default_list = list->second;
  open_.push_back(std::move(open));
  last_.part = entry.part;
  last_.path = entry.path;
  return {};
}

// The order of entries was checked: their folder is one on the way.
Result<void> DataTreeSink::go_to_parent(const DataEntry& entry) {
  while (parts_.back().number != entry.part) parts_.pop_back();
  const auto slashes = static_cast<std::size_t>(std::ranges::count(entry.path, '/'));
  const std::size_t depth = parts_.back().depth + slashes;
  INVARIANT(depth <= way_.depth());
  while (way_.depth() > depth) TRY(close_folder());
  return {};
}

Result<void> DataTreeSink::begin(const DataEntry& entry) {
  if (entry.path.empty()) {
    parts_.push_back({entry.part, way_.depth()});
    if (entry.part == 0) return opened(way_.here().fd(), entry);
    targets_.add_part(entry.part, last_.part, last_.path);
    return {};
  }
  TRY(go_to_parent(entry));
  auto made = make(split(entry.path).name, entry);
  if (made || made.error().code != Code::AlreadyExists) return made;
  return base::fail(Code::InvalidArgument,
                    "the archive holds {} twice, or its folder was not empty",
                    base::quote(entry.path));
}

Result<void> DataTreeSink::make(const std::string& name, const DataEntry& entry) {
  switch (entry.kind) {
    case DataKind::Folder:
      return make_folder(name, entry);
    case DataKind::File: {
      TRY_ASSIGN(file_, way_.here().make_file(name, kHalfMade & 0666U));
      return {};
    }
    case DataKind::Link:
      return make_link(name, entry);
    case DataKind::HardLink:
      return make_hard_link(name, entry);
  }
  return {};
}

Result<void> DataTreeSink::make_folder(const std::string& name, const DataEntry& entry) {
  TRY_ASSIGN(Folder made, way_.here().make_folder(name, kHalfMade));
  TRY(way_.enter(std::move(made)));
  return opened(way_.here().fd(), entry);
}

Result<void> DataTreeSink::make_link(const std::string& name, const DataEntry& entry) {
  const Folder& parent = way_.here();
  TRY(parent.make_link(name, entry.target));
  TRY(checked("fchownat", name, [&] {
    return ::fchownat(parent.fd(), name.c_str(), ids_.uid, ids_.gid, AT_SYMLINK_NOFOLLOW);
  }));
  const Times times(entry);
  TRY(checked("utimensat", name, [&] {
    return ::utimensat(parent.fd(), name.c_str(), times.both, AT_SYMLINK_NOFOLLOW);
  }));
  return {};
}

// The target is walked to as everything is; linkat(2) itself follows no link at the end.
Result<void> DataTreeSink::make_hard_link(const std::string& name, const DataEntry& entry) {
  const auto [parent, target] = split(entry.target);
  const auto folder = targets_.folder(entry.target_part, parent);
  const auto status = folder ? (*folder)->status(target)
                             : Result<base::os::EntryStatus>(std::unexpected(folder.error()));
  if (!status ||
      (status->kind != base::os::EntryKind::File && status->kind != base::os::EntryKind::Link))
    return base::fail(Code::InvalidArgument,
                      "the archive's entry {} is a hard link to {}, which is no file",
                      base::quote(entry.path), base::quote(entry.target));
  TRY(checked("linkat", name, [&] {
    return ::linkat((*folder)->fd(), target.c_str(), way_.here().fd(), name.c_str(), 0);
  }));
  return {};
}

Result<void> DataTreeSink::write(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    TRY_ASSIGN(const ssize_t put, checked("pwrite", "data", [&] {
                 return ::pwrite(file_.get(), bytes.data(), bytes.size(),
                                 static_cast<off_t>(offset));
               }));
    bytes.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> DataTreeSink::end_file(const DataEntry& entry) {
  const int fd = file_.get();
  TRY(checked("ftruncate", entry.path,
              [&] { return ::ftruncate(fd, static_cast<off_t>(entry.size)); }));
  TRY(dress(fd, entry));
  TRY(checked("fchmod", entry.path, [&] { return ::fchmod(fd, entry.mode & 01777U); }));
  const Times times(entry);
  TRY(checked("futimens", entry.path, [&] { return ::futimens(fd, times.both); }));
  file_.reset();
  return {};
}

Result<void> DataTreeSink::finish() {
  while (!open_.empty()) TRY(close_folder());
  return {};
}

}  // namespace granary::wire
