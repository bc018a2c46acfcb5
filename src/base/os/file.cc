#include "base/os/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/os/syscall.h"

namespace granary::base::os {
namespace {

namespace fs = std::filesystem;

std::string parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

Error from_error_code(const std::error_code& error, std::string_view call, std::string_view path) {
  return from_errno(error.value(), call, path);
}

}  // namespace

Result<Fd> open_file(const std::string& path, int flags, mode_t mode) {
  TRY_ASSIGN(const int fd,
             checked("open", path, [&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
  return Fd(fd);
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  TRY_ASSIGN(Fd fd, open_file(path, O_RDONLY, 0));
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    bytes.resize(size + 16384);
    TRY_ASSIGN(const ssize_t got, checked("read", path, [&] {
                 return ::read(fd.get(), bytes.data() + size, bytes.size() - size);
               }));
    size += static_cast<std::size_t>(got);
    if (size > max_bytes)
      return fail(Code::Exhausted, "{} is longer than {} bytes", path, max_bytes);
    if (got == 0) break;
  }
  bytes.resize(size);
  return bytes;
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t count) {
  std::string bytes(count, '\0');
  TRY_ASSIGN(const ssize_t got, checked("pread", std::to_string(fd), [&] {
               return ::pread(fd, bytes.data(), count, static_cast<off_t>(offset));
             }));
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    TRY_ASSIGN(const ssize_t put, checked("write", std::to_string(fd),
                                          [&] { return ::write(fd, bytes.data(), bytes.size()); }));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<std::uint64_t> append_file(const std::string& path, std::string_view bytes, mode_t mode) {
  TRY_ASSIGN(const Fd fd, open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode));
  TRY(write_all(fd.get(), bytes));
  struct stat status = {};
  TRY(checked("fstat", path, [&] { return ::fstat(fd.get(), &status); }));
  return static_cast<std::uint64_t>(status.st_size);
}

Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode,
                          Durability durability) {
  const std::string beside = path + ".new";
  TRY_ASSIGN(Fd fd, open_file(beside, O_WRONLY | O_CREAT | O_TRUNC, mode));
  // An existing leftover keeps its old mode unless it is set again.
  TRY(checked("fchmod", beside, [&] { return ::fchmod(fd.get(), mode); }));
  TRY(write_all(fd.get(), bytes));
  if (durability == Durability::Synced)
    TRY(checked("fdatasync", beside, [&] { return ::fdatasync(fd.get()); }));
  TRY(rename_file(beside, path));
  if (durability == Durability::Synced) TRY(sync_folder(parent(path)));
  return {};
}

Result<void> make_folders(const std::string& path, mode_t mode) {
  for (std::size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST)
      return std::unexpected(from_errno(errno, "mkdir", part));
    if (at == std::string::npos) return {};
  }
}

Result<void> own_folder(const std::string& path, mode_t mode, Ownership owner) {
  TRY(make_folders(path, mode));
  TRY(checked("chown", path, [&] { return ::chown(path.c_str(), owner.uid, owner.gid); }));
  TRY(checked("chmod", path, [&] { return ::chmod(path.c_str(), mode); }));
  return {};
}

Result<void> sync_file(int fd) {
  TRY(checked("fdatasync", std::to_string(fd), [&] { return ::fdatasync(fd); }));
  return {};
}

Result<void> sync_folder(const std::string& path) {
  TRY_ASSIGN(Fd fd, open_file(path, O_RDONLY | O_DIRECTORY, 0));
  TRY(checked("fsync", path, [&] { return ::fsync(fd.get()); }));
  return {};
}

Result<void> sync_filesystem(const std::string& path) {
  TRY_ASSIGN(Fd fd, open_file(path, O_RDONLY | O_DIRECTORY, 0));
  TRY(checked("syncfs", path, [&] { return ::syncfs(fd.get()); }));
  return {};
}

Result<std::uint64_t> free_bytes(const std::string& path) {
  struct statvfs status{};
  TRY(checked("statvfs", path, [&] { return ::statvfs(path.c_str(), &status); }));
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

Result<void> exchange_files(const std::string& a, const std::string& b) {
  TRY(checked("renameat2", a, [&] {
    return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE);
  }));
  return {};
}

Result<void> give_file(const std::string& path, Ownership owner) {
  TRY(checked("chown", path, [&] { return ::lchown(path.c_str(), owner.uid, owner.gid); }));
  return {};
}

Result<Ownership> owner_of(const std::string& path) {
  struct stat status{};
  TRY(checked("stat", path, [&] { return ::lstat(path.c_str(), &status); }));
  return Ownership{status.st_uid, status.st_gid};
}

Result<void> rename_file(const std::string& from, const std::string& to) {
  TRY(checked("rename", from, [&] { return ::rename(from.c_str(), to.c_str()); }));
  return {};
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return std::unexpected(from_errno(errno, "unlink", path));
  return {};
}

Result<FileStamp> file_stamp(const std::string& path) {
  struct stat status{};
  TRY(checked("stat", path, [&] { return ::stat(path.c_str(), &status); }));
  return FileStamp{.device = status.st_dev,
                   .inode = status.st_ino,
                   .bytes = static_cast<std::uint64_t>(status.st_size),
                   .changed = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
}

bool exists(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return std::unexpected(from_error_code(error, "readdir", path));
  std::ranges::sort(names);
  return names;
}

Result<Fd> memory_file(std::string_view name, std::string_view bytes) {
  const std::string label(name);
  TRY_ASSIGN(const int raw, checked("memfd_create", label,
                                    [&] { return ::memfd_create(label.c_str(), MFD_CLOEXEC); }));
  Fd fd(raw);
  TRY(write_all(fd.get(), bytes));
  TRY(checked("lseek", label, [&] { return ::lseek(fd.get(), 0, SEEK_SET); }));
  return fd;
}

}  // namespace granary::base::os
