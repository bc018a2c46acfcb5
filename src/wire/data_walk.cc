#include "wire/data_walk.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/os/syscall.h"
#include "base/text.h"
#include "wire/data_acl.h"

namespace granary::wire {
namespace {

using base::Code;
using base::LeftOutKind;
using base::Result;
using base::os::Folder;

constexpr std::size_t kAttributeBytes = 64U << 10;  // the kernel's own bound, of names and values
constexpr const char* kLostAndFound = "lost+found";
constexpr const char* kScratch = "scratch";  // agent/host/disk_images.h
constexpr mode_t kSetIdBits = S_ISUID | S_ISGID;
constexpr std::size_t kNameBytes = 64;  // of memory: half of all names are shorter, at least

Result<struct stat> status_of(int fd) {
  struct stat status{};
  TRY(base::os::checked("fstat", "data", [&] { return ::fstat(fd, &status); }));
  return status;
}

Result<struct stat> status_at(const Folder& folder, const std::string& name) {
  struct stat status{};
  TRY(base::os::checked("fstatat", name, [&] {
    return ::fstatat(folder.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
  }));
  return status;
}

std::string last_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

DataWalk::DataWalk(DataWriter& writer, Folder root, const std::string& beside,
                   const DataPackOptions& options)
    : writer_(writer),
      options_(options),
      way_(std::move(root)),
      links_(beside),
      buffer_(kAttributeBytes, '\0') {
  totals_.disk_bytes = options.disk_bytes;
}

Result<DataTotals> DataWalk::run() {
  TRY_ASSIGN(const struct stat status, status_of(way_.here().fd()));
  DataEntry root = entry_of(DataKind::Folder, "", status);
  TRY(take_notes(way_.here().fd(), status, root));
  ++totals_.folders;
  TRY(writer_.add(root));
  levels_.emplace_back();
  while (!levels_.empty()) {
    TRY_ASSIGN(const std::optional<std::string> name, next_name());
    if (!name) {
      TRY(leave());
      continue;
    }
    if (options_.pulse) TRY(options_.pulse());
    const std::string path = path_of(*name);
    auto added = add(*name);
    if (!added && !tolerated(added.error(), path))
      return base::annotate(std::move(added).error(), "packing " + base::quote(path));
  }
  return totals_;
}

// ---- where it goes

Result<std::optional<std::string>> DataWalk::next_name() {
  Level& level = levels_.back();
  if (level.names.empty() && !level.all) TRY(read_names(level));
  if (level.names.empty()) return std::optional<std::string>();
  last_ = std::move(level.names.back());
  level.names.pop_back();
  --held_;
  return std::optional(last_);
}

Result<void> DataWalk::read_names(Level& level) {
  TRY_ASSIGN(Folder::Names found,
             way_.here().names_after(last_, options_.names_in_memory * kNameBytes));
  level.names = std::move(found.names);
  level.all = found.all;
  std::ranges::reverse(level.names);
  held_ += level.names.size();
  forgotten_ = std::min(forgotten_, levels_.size() - 1);
  forget_names();
  return {};
}

// Those of the folders that are come back to last: they are read again, then.
void DataWalk::forget_names() {
  for (; held_ > options_.names_in_memory && forgotten_ + 1 < levels_.size(); ++forgotten_) {
    Level& level = levels_[forgotten_];
    held_ -= level.names.size();
    level.all = level.all && level.names.empty();
    level.names = {};
  }
}

std::string DataWalk::path_of(const std::string& name) const {
  return path_.empty() ? name : path_ + "/" + name;
}

Result<void> DataWalk::enter(const DataEntry& entry) {
  Level level;
  path_ = entry.path;
  if (path_.size() > kDataPartPath) {
    outer_.push_back({part_, path_});
    DataEntry own = entry;
    own.part = part_ = ++last_part_;
    own.path.clear();
    own.attributes.clear();
    path_.clear();
    level.begins_part = true;
    TRY(writer_.add(own));
  }
  level.path_bytes = static_cast<std::uint32_t>(path_.size());
  levels_.push_back(std::move(level));
  last_.clear();
  return {};
}

Result<void> DataWalk::leave() {
  const Level left = std::move(levels_.back());
  levels_.pop_back();
  if (levels_.empty()) return {};
  if (left.begins_part) {
    part_ = outer_.back().part;
    path_ = std::move(outer_.back().path);
    outer_.pop_back();
  }
  last_ = last_name(path_);
  path_.resize(levels_.back().path_bytes);
  const auto went = way_.leave();
  if (went) return {};
  if (options_.source == DataSource::Still || went.error().code != Code::Conflict) return went;
  give_up_to_root();
  return {};
}

// Of a live tree: a folder of the way was moved, and what else is in those on it is not of its
// moment.
void DataWalk::give_up_to_root() {
  ++totals_.changed;
  const std::string& way = outer_.empty() ? path_ : outer_.front().path;
  if (!way.empty()) last_ = way.substr(0, way.find('/'));
  outer_.clear();
  path_.clear();
  part_ = 0;
  for (std::size_t i = 1; i < levels_.size(); ++i) held_ -= levels_[i].names.size();
  levels_.resize(1);
  forgotten_ = 0;
}

// ---- what it finds

Result<void> DataWalk::add(const std::string& name) {
  TRY_ASSIGN(const struct stat status, status_at(way_.here(), name));
  switch (status.st_mode & S_IFMT) {
    case S_IFREG:
      return add_file(name);
    case S_IFDIR: {
      TRY_ASSIGN(Folder folder, way_.here().open_folder(name));
      return add_folder(name, std::move(folder));
    }
    case S_IFLNK:
      return add_link(name, status);
    case S_IFIFO:
      leave_out(LeftOutKind::Fifo, path_of(name));
      return {};
    case S_IFSOCK:
      leave_out(LeftOutKind::Socket, path_of(name));
      return {};
    default:
      leave_out(LeftOutKind::Device, path_of(name));
      return {};
  }
}

// Of a live folder: what is no more there, has become something else or is closed to us.
bool DataWalk::tolerated(const base::Error& error, const std::string& path) {
  if (options_.source == DataSource::Still) return false;
  if (error.code == Code::NotFound) {
    ++totals_.changed;
    return true;
  }
  if (error.code != Code::Refused) return false;
  leave_out(LeftOutKind::Unreadable, path);
  return true;
}

void DataWalk::leave_out(LeftOutKind kind, const std::string& path) {
  totals_.left_out.add(kind, path);
}

// The file system's, as long as nobody has put anything into it but the platform, which keeps
// temporary files of silos there. It is root's, so no app can make another like it.
Result<bool> DataWalk::is_own_folder(const std::string& name, const Folder& folder) const {
  if (!options_.is_file_system || levels_.size() > 1 || name != kLostAndFound) return false;
  TRY_ASSIGN(const Folder::Names names, folder.names_after("", 256));
  if (names.names.empty()) return true;
  TRY_ASSIGN(const struct stat status, status_of(folder.fd()));
  return status.st_uid == 0 && names.names.size() == 1 && names.names.front() == kScratch;
}

DataEntry DataWalk::entry_of(DataKind kind, const std::string& path,
                             const struct stat& status) const {
  DataEntry entry;
  entry.kind = kind;
  entry.part = part_;
  entry.path = path;
  entry.mode = kind == DataKind::Link ? 0777U : status.st_mode & 01777U;
  entry.mtime_seconds = status.st_mtim.tv_sec;
  entry.mtime_nanoseconds = status.st_mtim.tv_nsec;
  return entry;
}

Result<void> DataWalk::add_folder(const std::string& name, Folder folder) {
  TRY_ASSIGN(const struct stat status, status_of(folder.fd()));
  TRY_ASSIGN(const bool own, is_own_folder(name, folder));
  if (own) return {};
  DataEntry entry = entry_of(DataKind::Folder, path_of(name), status);
  TRY(take_notes(folder.fd(), status, entry));
  ++totals_.folders;
  TRY(writer_.add(entry));
  TRY(way_.enter(std::move(folder)));
  return enter(entry);
}

Result<bool> DataWalk::add_name(const struct stat& status, DataEntry& entry) {
  if (status.st_nlink < 2) return false;
  TRY_ASSIGN(const auto first, links_.find(status.st_ino, status.st_nlink, entry.part, entry.path));
  if (!first) return false;
  entry.kind = DataKind::HardLink;
  entry.target_part = first->part;
  entry.target = first->path;
  ++totals_.links;
  ++totals_.hard_links;
  TRY(writer_.add(entry));
  return true;
}

Result<void> DataWalk::add_link(const std::string& name, const struct stat& status) {
  DataEntry entry = entry_of(DataKind::Link, path_of(name), status);
  TRY_ASSIGN(const bool another_name, add_name(status, entry));
  if (another_name) return {};
  TRY_ASSIGN(entry.target, way_.here().read_link(name));
  ++totals_.links;
  return writer_.add(entry);
}

Result<void> DataWalk::add_file(const std::string& name) {
  TRY_ASSIGN(const base::os::OpenFile file, way_.here().open_file(name));
  TRY_ASSIGN(const struct stat status, status_of(file.fd.get()));
  if (static_cast<std::uint64_t>(status.st_size) > kMaxDataFile) {
    leave_out(LeftOutKind::TooLong, path_of(name));
    return {};
  }
  DataEntry entry = entry_of(DataKind::File, path_of(name), status);
  TRY_ASSIGN(const bool another_name, add_name(status, entry));
  if (another_name) return {};
  entry.size = static_cast<std::uint64_t>(status.st_size);
  TRY(take_notes(file.fd.get(), status, entry));
  return copy_file(std::move(entry), file.fd.get());
}

Result<void> DataWalk::copy_file(DataEntry entry, int file) {
  ++totals_.files;
  TRY_ASSIGN(const auto segments, segments_of(file, entry.size));
  TRY_ASSIGN(const DataWriter::Copied copied,
             writer_.add_file(entry, file, segments, options_.pulse));
  totals_.bytes += copied.bytes;
  if (!copied.changed) return {};
  ++totals_.changed;
  if (options_.source == DataSource::Live) return {};
  return base::fail(Code::Conflict, "the file became shorter while it was read");
}

// What a user may have noted at a file beside its contents. Of no file system that has none of it.
Result<void> DataWalk::take_notes(int fd, const struct stat& status, DataEntry& entry) {
  if ((status.st_mode & kSetIdBits) != 0) leave_out(LeftOutKind::SetIdBits, entry.path);
  const ssize_t length = ::flistxattr(fd, buffer_.data(), buffer_.size());
  if (length < 0 && errno == EOPNOTSUPP) return {};
  if (length < 0) return std::unexpected(base::os::from_errno(errno, "flistxattr", "data"));
  const std::string names(buffer_, 0, static_cast<std::size_t>(length));
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (is_user_attribute(name) || is_acl_name(name)) {
      TRY_ASSIGN(const std::size_t taken, take_attribute(fd, status, name, entry));
      bytes += taken;
    }
    if (bytes > kMaxDataAttributeBytes) break;
  }
  if (bytes <= kMaxDataAttributeBytes) return {};
  entry.attributes.clear();
  leave_out(LeftOutKind::Attributes, entry.path);
  return {};
}

// Gives how many bytes it is.
Result<std::size_t> DataWalk::take_attribute(int fd, const struct stat& status,
                                             const std::string& name, DataEntry& entry) {
  const ssize_t size = ::fgetxattr(fd, name.c_str(), buffer_.data(), buffer_.size());
  if (size < 0 && errno == ENODATA) return std::size_t{0};
  if (size < 0) return std::unexpected(base::os::from_errno(errno, "fgetxattr", name));
  std::string value(buffer_, 0, static_cast<std::size_t>(size));
  if (is_acl_name(name)) {
    PackedAcl list = acl_to_archive(value, {status.st_uid, status.st_gid});
    if (list.others_left) leave_out(LeftOutKind::OtherUsers, entry.path);
    if (list.value.empty()) return std::size_t{0};
    value = std::move(list.value);
  }
  const std::size_t bytes = name.size() + value.size();
  entry.attributes.emplace(name, std::move(value));
  return bytes;
}

}  // namespace granary::wire
