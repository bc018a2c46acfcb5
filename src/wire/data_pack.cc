#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <unordered_map>

#include "base/os/file.h"
#include "base/os/folder.h"
#include "base/os/syscall.h"
#include "base/text.h"
#include "wire/data_archive.h"
#include "wire/data_writer.h"

namespace granary::wire {
namespace {

using base::Code;
using base::Result;
using base::os::EntryKind;
using base::os::Folder;

constexpr std::size_t kAttributeNames = 64U << 10;  // the kernel's own bound
constexpr const char* kLostAndFound = "lost+found";

void take_status(const struct stat& status, DataEntry& entry) {
  const mode_t kept = S_ISDIR(status.st_mode) ? 01777U : 0777U;
  entry.mode = S_ISLNK(status.st_mode) ? 0777U : status.st_mode & kept;
  entry.mtime_seconds = status.st_mtim.tv_sec;
  entry.mtime_nanoseconds = status.st_mtim.tv_nsec;
}

Result<struct stat> status_of(int fd) {
  struct stat status{};
  TRY(base::os::checked("fstat", "data", [&] { return ::fstat(fd, &status); }));
  return status;
}

// What a user may have noted at a file. Of no file system that has none of it.
Result<void> take_attributes(int fd, DataEntry& entry) {
  std::string names(kAttributeNames, '\0');
  const ssize_t length = ::flistxattr(fd, names.data(), names.size());
  if (length < 0 && errno == EOPNOTSUPP) return {};
  if (length < 0) return std::unexpected(base::os::from_errno(errno, "flistxattr", "data"));
  names.resize(static_cast<std::size_t>(length));
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!is_data_attribute(name) || entry.attributes.size() == kMaxDataAttributes) continue;
    std::string value(kMaxDataAttributeBytes, '\0');
    const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (size < 0 && (errno == ENODATA || errno == ERANGE)) continue;
    if (size < 0) return std::unexpected(base::os::from_errno(errno, "fgetxattr", name));
    value.resize(static_cast<std::size_t>(size));
    entry.attributes.emplace(name, std::move(value));
  }
  return {};
}

// The walk over the data: every entry once, in the archive's order, following no link.
class DataWalk final {
 public:
  DataWalk(DataWriter& writer, const DataPackOptions& options)
      : writer_(writer), options_(options) {}

  Result<DataTotals> run(const Folder& root) {
    TRY(add_folder(root, ""));
    return totals_;
  }

 private:
  // The recursion is bounded by limits.depth, which check_data_entry holds each path to.
  Result<void> add_folder(const Folder& folder, const std::string& path) {
    DataEntry entry;
    entry.kind = DataKind::Folder;
    entry.path = path;
    TRY_ASSIGN(const struct stat status, status_of(folder.fd()));
    take_status(status, entry);
    TRY(take_attributes(folder.fd(), entry));
    TRY(count(entry));
    ++totals_.folders;
    TRY(writer_.add(entry));
    TRY_ASSIGN(const auto names, folder.names(options_.limits.entries));
    const std::string prefix = path.empty() ? "" : path + "/";
    for (const std::string& name : names) {
      if (path.empty() && options_.is_file_system && name == kLostAndFound) continue;
      if (options_.pulse) TRY(options_.pulse());
      const std::string inside = prefix + name;
      auto added = add(folder, name, inside);
      if (!added && !gone(added.error()))
        return base::annotate(std::move(added).error(), "packing " + base::quote(inside));
    }
    return {};
  }

  // Of a live folder: what is no more there, or has become something else, is not of its moment.
  bool gone(const base::Error& error) {
    if (options_.source == DataSource::Still) return false;
    if (error.code != Code::NotFound && error.code != Code::Refused) return false;
    ++totals_.changed;
    return true;
  }

  Result<void> add(const Folder& folder, const std::string& name, const std::string& path) {
    TRY_ASSIGN(const base::os::EntryStatus status, folder.status(name));
    switch (status.kind) {
      case EntryKind::File:
        return add_file(folder, name, path);
      case EntryKind::Folder: {
        TRY_ASSIGN(const Folder below, folder.open_folder(name));
        return add_folder(below, path);
      }
      case EntryKind::Link:
        return add_link(folder, name, path);
      case EntryKind::Fifo:
      case EntryKind::Socket:
      case EntryKind::Device:
        ++totals_.left_out;
        return {};
    }
    return {};
  }

  Result<void> add_link(const Folder& folder, const std::string& name, const std::string& path) {
    DataEntry entry;
    entry.kind = DataKind::Link;
    entry.path = path;
    TRY_ASSIGN(entry.target, folder.read_link(name));
    struct stat status{};
    TRY(base::os::checked("fstatat", name, [&] {
      return ::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
    }));
    take_status(status, entry);
    TRY(count(entry));
    ++totals_.links;
    return writer_.add(entry);
  }

  Result<void> add_file(const Folder& folder, const std::string& name, const std::string& path) {
    TRY_ASSIGN(const base::os::OpenFile file, folder.open_file(name));
    TRY_ASSIGN(const struct stat status, status_of(file.fd.get()));
    DataEntry entry;
    entry.path = path;
    take_status(status, entry);
    if (status.st_nlink > 1) {
      const auto [first, is_first] = linked_.emplace(status.st_ino, path);
      if (!is_first) {
        entry.kind = DataKind::HardLink;
        entry.target = first->second;
        TRY(count(entry));
        ++totals_.links;
        return writer_.add(entry);
      }
    }
    entry.size = static_cast<std::uint64_t>(status.st_size);
    TRY(take_attributes(file.fd.get(), entry));
    TRY(count(entry));
    ++totals_.files;
    TRY_ASSIGN(const auto segments, segments_of(file.fd.get(), entry.size));
    TRY_ASSIGN(const DataWriter::Copied copied,
               writer_.add_file(entry, file.fd.get(), segments, options_.pulse));
    totals_.bytes += copied.bytes;
    if (!copied.changed) return {};
    ++totals_.changed;
    if (options_.source == DataSource::Live) return {};
    return base::fail(Code::Conflict, "the file became shorter while it was read");
  }

  Result<void> count(const DataEntry& entry) {
    TRY(check_data_entry(entry, options_.limits));
    if (++entries_ > options_.limits.entries)
      return base::fail(Code::Exhausted, "there are more than {} files and folders",
                        options_.limits.entries);
    return {};
  }

  DataWriter& writer_;
  const DataPackOptions& options_;
  DataTotals totals_;
  std::uint64_t entries_ = 0;
  std::unordered_map<ino_t, std::string> linked_;  // files of several names: the first of them
};

Result<DataArchiveInfo> pack_into(const std::string& folder, const std::string& archive,
                                  const DataPackOptions& options) {
  TRY_ASSIGN(const Folder root, Folder::open(folder));
  TRY_ASSIGN(const auto writer, DataWriter::create(archive));
  TRY_ASSIGN(const DataTotals totals, DataWalk(*writer, options).run(root));
  return writer->finish(totals);
}

}  // namespace

Result<DataArchiveInfo> pack_data(const std::string& folder, const std::string& archive,
                                  const DataPackOptions& options) {
  if (base::os::exists(archive))
    return base::fail(Code::AlreadyExists, "{} is there already", archive);
  auto packed = pack_into(folder, archive, options);
  if (!packed) (void)base::os::remove_file(archive);
  return packed;
}

}  // namespace granary::wire
