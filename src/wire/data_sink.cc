#include "wire/data_sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

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
  explicit Times(const DataEntry& entry) {
    both[0].tv_sec = both[1].tv_sec = entry.mtime_seconds;
    both[0].tv_nsec = both[1].tv_nsec = static_cast<long>(entry.mtime_nanoseconds);
  }
  timespec both[2] = {};
};

}  // namespace

DataTreeSink::DataTreeSink(Folder root, uid_t uid, gid_t gid)
    : uid_(uid), gid_(gid), root_(std::move(root)) {}

// Owner first: changing it would drop bits of the mode. Times last: all else changes them.
Result<void> DataTreeSink::dress(int fd, const DataEntry& entry) const {
  TRY(checked("fchown", entry.path, [&] { return ::fchown(fd, uid_, gid_); }));
  for (const auto& [name, value] : entry.attributes)
    TRY(checked("fsetxattr", name,
                [&] { return ::fsetxattr(fd, name.c_str(), value.data(), value.size(), 0); }));
  const mode_t kept = entry.kind == DataKind::Folder ? 01777U : 0777U;
  TRY(checked("fchmod", entry.path, [&] { return ::fchmod(fd, entry.mode & kept); }));
  const Times times(entry);
  TRY(checked("futimens", entry.path, [&] { return ::futimens(fd, times.both); }));
  return {};
}

Result<void> DataTreeSink::close_folder() {
  const Open& last = open_.back();
  TRY(dress(last.folder.fd(), last.entry));
  open_.pop_back();
  return {};
}

Result<void> DataTreeSink::begin(const DataEntry& entry) {
  if (entry.path.empty()) {
    TRY_ASSIGN(Folder root, root_.again());
    open_.push_back({entry, std::move(root)});
    return {};
  }
  const auto [parent, name] = split(entry.path);
  while (open_.back().entry.path != parent) TRY(close_folder());
  auto made = make(open_.back().folder, name, entry);
  if (made || made.error().code != Code::AlreadyExists) return made;
  return base::fail(Code::InvalidArgument,
                    "the archive holds {} twice, or its folder was not empty",
                    base::quote(entry.path));
}

Result<void> DataTreeSink::make(const Folder& parent, const std::string& name,
                                const DataEntry& entry) {
  switch (entry.kind) {
    case DataKind::Folder: {
      TRY_ASSIGN(Folder made, parent.make_folder(name, kHalfMade));
      open_.push_back({entry, std::move(made)});
      return {};
    }
    case DataKind::File: {
      TRY_ASSIGN(file_, parent.make_file(name, kHalfMade & 0666U));
      return {};
    }
    case DataKind::Link: {
      TRY(parent.make_link(name, entry.target));
      TRY(checked("fchownat", name, [&] {
        return ::fchownat(parent.fd(), name.c_str(), uid_, gid_, AT_SYMLINK_NOFOLLOW);
      }));
      const Times times(entry);
      TRY(checked("utimensat", name, [&] {
        return ::utimensat(parent.fd(), name.c_str(), times.both, AT_SYMLINK_NOFOLLOW);
      }));
      return {};
    }
    case DataKind::HardLink:
      return make_hard_link(parent, name, entry);
  }
  return {};
}

// The target is walked to as everything is; linkat(2) itself follows no link at the end.
Result<void> DataTreeSink::make_hard_link(const Folder& parent, const std::string& name,
                                          const DataEntry& entry) {
  const auto no_file = [&entry] {
    return base::fail(Code::InvalidArgument,
                      "the archive's entry {} is a hard link to {}, which is no file",
                      base::quote(entry.path), base::quote(entry.target));
  };
  TRY_ASSIGN(Folder folder, root_.again());
  std::string rest = entry.target;
  for (std::size_t slash = 0; (slash = rest.find('/')) != std::string::npos;) {
    auto next = folder.open_folder(rest.substr(0, slash));
    if (!next) return no_file();
    folder = std::move(*next);
    rest.erase(0, slash + 1);
  }
  const auto status = folder.status(rest);
  if (!status || status->kind != base::os::EntryKind::File) return no_file();
  TRY(checked("linkat", name,
              [&] { return ::linkat(folder.fd(), rest.c_str(), parent.fd(), name.c_str(), 0); }));
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
  TRY(checked("ftruncate", entry.path,
              [&] { return ::ftruncate(file_.get(), static_cast<off_t>(entry.size)); }));
  TRY(dress(file_.get(), entry));
  file_.reset();
  return {};
}

Result<void> DataTreeSink::finish() {
  while (!open_.empty()) TRY(close_folder());
  return {};
}

}  // namespace granary::wire
