#include "base/os/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <memory>

#include "base/check.h"
#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

constexpr mode_t kModeBits = 07777;

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

void assert_name(const std::string& name) {
  INVARIANT(!name.empty() && name != "." && name != "..");
  INVARIANT(name.find('/') == std::string::npos && name.find('\0') == std::string::npos);
}

EntryStatus from_stat(const struct stat& found) {
  EntryStatus status;
  status.mode = found.st_mode & kModeBits;
  status.size = static_cast<std::uint64_t>(found.st_size);
  switch (found.st_mode & S_IFMT) {
    case S_IFREG:
      status.kind = EntryKind::File;
      break;
    case S_IFDIR:
      status.kind = EntryKind::Folder;
      break;
    case S_IFLNK:
      status.kind = EntryKind::Link;
      break;
    case S_IFIFO:
      status.kind = EntryKind::Fifo;
      break;
    case S_IFSOCK:
      status.kind = EntryKind::Socket;
      break;
    default:
      status.kind = EntryKind::Device;
      break;
  }
  return status;
}

// What the kernel says when the last part of a path is a link, or no folder.
Error from_open(int error_number, std::string_view call, const std::string& name) {
  if (error_number == ELOOP || error_number == ENOTDIR) {
    return Error{Code::Refused, fmt::format("{} is a link, or not what it was", name), {}, {}};
  }
  return from_errno(error_number, call, name);
}

std::size_t bytes_of(const std::string& name) {
  constexpr std::size_t kInside = 15;  // bytes that a string holds without a piece of memory
  constexpr std::size_t kPiece = 17;   // its end, and what the allocator needs
  return sizeof(std::string) + (name.size() > kInside ? name.size() + kPiece : 0);
}

Result<Fd> open_at(int folder, const std::string& name, int flags, mode_t mode) {
  assert_name(name);
  for (;;) {
    const int fd = ::openat(folder, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    if (errno != EINTR) return std::unexpected(from_open(errno, "openat", name));
  }
}

}  // namespace

std::string_view to_string(EntryKind kind) {
  switch (kind) {
    case EntryKind::File:
      return "a file";
    case EntryKind::Folder:
      return "a folder";
    case EntryKind::Link:
      return "a link";
    case EntryKind::Fifo:
      return "a named pipe";
    case EntryKind::Socket:
      return "a socket";
    case EntryKind::Device:
      return "a device node";
  }
  return "unknown";
}

Result<Folder> Folder::open(const std::string& path) {
  TRY_ASSIGN(const int fd, checked("open", path, [&] {
               return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
             }));
  return Folder(Fd(fd));
}

Result<Folder> Folder::again() const {
  TRY_ASSIGN(const int fd, checked("openat", ".", [&] {
               return ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
             }));
  return Folder(Fd(fd));
}

Result<Folder> Folder::parent() const {
  TRY_ASSIGN(const int fd, checked("openat", "..", [&] {
               return ::openat(fd_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
             }));
  return Folder(Fd(fd));
}

// `each` gets every name but . and .., in no order, and may end it with an error.
template <class Each>
Result<void> Folder::read(Each each) const {
  // A description of its own: a duplicate would share the place where reading stands.
  TRY_ASSIGN(Folder own, again());
  const std::unique_ptr<DIR, CloseStream> stream(::fdopendir(own.fd()));
  if (!stream) return std::unexpected(from_errno(errno, "fdopendir", "."));
  (void)own.fd_.release();  // the stream's
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return std::unexpected(from_errno(errno, "readdir", "."));
    if (entry == nullptr) return {};
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") TRY(each(name));
  }
}

Result<std::vector<std::string>> Folder::names(std::size_t limit) const {
  std::vector<std::string> names;
  TRY(read([&](std::string_view name) -> Result<void> {
    if (names.size() == limit)
      return fail(Code::Exhausted, "the folder holds more than {} names", limit);
    names.emplace_back(name);
    return {};
  }));
  std::ranges::sort(names);
  return names;
}

Result<Folder::Names> Folder::names_after(std::string_view last, std::size_t most_bytes) const {
  constexpr std::size_t kFewest = 2;  // half of them is still one
  Names found;
  std::string end;  // names from here on are for another call; empty: there is no end yet
  std::size_t bytes = 0;
  TRY(read([&](std::string_view name) -> Result<void> {
    if (name <= last) return {};
    if (!end.empty() && name >= end) return {};
    found.names.emplace_back(name);
    bytes += bytes_of(found.names.back());
    if (bytes <= most_bytes || found.names.size() < kFewest) return {};
    const auto half = found.names.begin() + static_cast<std::ptrdiff_t>(found.names.size() / 2);
    std::ranges::nth_element(found.names, half);
    end = *half;
    found.all = false;
    found.names.erase(half, found.names.end());
    bytes = 0;
    for (const std::string& kept : found.names) bytes += bytes_of(kept);
    return {};
  }));
  std::ranges::sort(found.names);
  return found;
}

Result<EntryStatus> Folder::status(const std::string& name) const {
  assert_name(name);
  struct stat found{};
  TRY(checked("fstatat", name,
              [&] { return ::fstatat(fd_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW); }));
  return from_stat(found);
}

Result<Folder> Folder::open_folder(const std::string& name) const {
  TRY_ASSIGN(Fd fd, open_at(fd_.get(), name, O_RDONLY | O_DIRECTORY, 0));
  return Folder(std::move(fd));
}

Result<OpenFile> Folder::open_file(const std::string& name) const {
  // O_NONBLOCK: a pipe that took the file's place must not hold us.
  TRY_ASSIGN(Fd fd, open_at(fd_.get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0));
  struct stat found{};
  TRY(checked("fstat", name, [&] { return ::fstat(fd.get(), &found); }));
  const EntryStatus status = from_stat(found);
  if (status.kind != EntryKind::File)
    return fail(Code::Refused, "{} is {}, not a file", name, to_string(status.kind));
  return OpenFile{std::move(fd), status};
}

Result<std::string> Folder::read_link(const std::string& name) const {
  assert_name(name);
  std::string target(PATH_MAX, '\0');
  TRY_ASSIGN(const ssize_t length, checked("readlinkat", name, [&] {
               return ::readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
             }));
  target.resize(static_cast<std::size_t>(length));
  return target;
}

Result<Folder> Folder::make_folder(const std::string& name, mode_t mode) const {
  assert_name(name);
  TRY(checked("mkdirat", name, [&] { return ::mkdirat(fd_.get(), name.c_str(), mode); }));
  TRY_ASSIGN(Folder made, open_folder(name));
  TRY(checked("fchmod", name, [&] { return ::fchmod(made.fd_.get(), mode); }));
  return made;
}

Result<Fd> Folder::make_file(const std::string& name, mode_t mode) const {
  TRY_ASSIGN(Fd fd, open_at(fd_.get(), name, O_WRONLY | O_CREAT | O_EXCL, mode));
  TRY(checked("fchmod", name, [&] { return ::fchmod(fd.get(), mode); }));
  return fd;
}

Result<void> Folder::make_link(const std::string& name, const std::string& target) const {
  assert_name(name);
  TRY(checked("symlinkat", name,
              [&] { return ::symlinkat(target.c_str(), fd_.get(), name.c_str()); }));
  return {};
}

}  // namespace granary::base::os
