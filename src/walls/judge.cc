#include "walls/judge.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace granary::walls {

Answer held(std::string_view text) { return {Outcome::Held, std::string(text)}; }
Answer broken(std::string_view text) { return {Outcome::Broken, std::string(text)}; }
Answer inapplicable(std::string_view text) { return {Outcome::Inapplicable, std::string(text)}; }

std::string error_name() {
  const char* name = ::strerrorname_np(errno);
  return name != nullptr ? name : "error " + std::to_string(errno);
}

Answer refused(std::string_view call) { return held(std::string(call) + ": " + error_name()); }

Answer judge(std::string_view call, long result) {
  if (result < 0) return refused(call);
  return broken(std::string(call) + ": done");
}

Answer judge_privileged(std::string_view call, long result) {
  if (result >= 0) return broken(std::string(call) + ": done");
  if (errno == EPERM || errno == EACCES) return refused(call);
  if (errno == ENOSYS) return inapplicable(std::string(call) + ": ENOSYS");
  return broken(std::string(call) + ": " + error_name() + ", so the call was let in");
}

namespace {

Answer running_program(const std::string& path) {
  struct statvfs status{};
  const bool read_only = ::statvfs(path.c_str(), &status) == 0 && (status.f_flag & ST_RDONLY) != 0;
  if (read_only) return held("open " + path + ": ETXTBSY, and its mount is read-only");
  return broken("open " + path + ": ETXTBSY, so only its running protects it");
}

}  // namespace

Answer try_open(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  // Said of a running program after its permission was looked at, but before the mount's.
  if (fd < 0 && errno == ETXTBSY) return running_program(path);
  if (fd < 0) return refused("open " + path);
  ::close(fd);
  return broken("opened " + path);
}

Answer try_read(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return refused("open " + path);
  char byte = 0;
  const ssize_t count = ::read(fd, &byte, 1);
  const int error = errno;
  ::close(fd);
  errno = error;
  if (count < 0) return refused("read " + path);
  return count == 0 ? held(path + " is empty") : broken("read " + path);
}

Answer try_write(const std::string& path) { return try_open(path, O_WRONLY | O_APPEND); }

Answer try_list(const std::string& path) {
  DIR* folder = ::opendir(path.c_str());
  if (folder == nullptr) return refused("list " + path);
  std::string seen;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") seen = name;
  }
  ::closedir(folder);
  return seen.empty() ? held(path + " is empty") : broken("listed " + path + ", saw " + seen);
}

Answer try_create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return refused("create " + path);
  ::close(fd);
  ::unlink(path.c_str());
  return broken("created " + path);
}

Answer try_setting(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
    return ::access("/proc/self", F_OK) == 0 && path.starts_with("/proc/")
               ? inapplicable("this kernel has no " + path)
               : refused("find " + path);
  return try_write(path);
}

}  // namespace granary::walls
