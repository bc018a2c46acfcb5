// Writing where a silo may only read: what all silos share, or what the platform gave it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "walls/attempt.h"
#include "walls/judge.h"
#include "walls/knowledge.h"

namespace granary::walls {
namespace {

constexpr const char* kTopic = "writing what is only to be read";

// A descriptor opened for reading is opened anew through /proc, for writing.
Answer reopen_for_writing(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return refused(std::string("open ") + path);
  return try_write("/proc/self/fd/" + std::to_string(fd));
}

Answer give_away(unsigned uid) {
  constexpr const char* kFile = "/data/granary-attack-owned";
  const int fd = ::open(kFile, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return refused("create");
  const int result = ::fchown(fd, uid, static_cast<gid_t>(-1));
  const int error = errno;
  ::close(fd);
  ::unlink(kFile);
  errno = error;
  return judge("fchown", result);
}

Answer take_over(const char* path) {
  return judge(std::string("chown ") + path, ::chown(path, ::getuid(), ::getgid()));
}

Answer change_mode(const char* path, mode_t mode) {
  struct stat status{};
  if (::stat(path, &status) != 0) return refused(std::string("stat ") + path);
  const int result = ::chmod(path, mode);
  if (result == 0) (void)::chmod(path, status.st_mode & 07777);
  return judge(std::string("chmod ") + path, result);
}

Answer move_aside(const char* path) {
  const std::string aside = std::string(path) + ".aside";
  const int result = ::rename(path, aside.c_str());
  if (result == 0) (void)::rename(aside.c_str(), path);
  return judge(std::string("rename ") + path, result);
}

Answer set_attribute(const char* path, const char* name) {
  const int result = ::setxattr(path, name, "x", 1, 0);
  if (result == 0) (void)::removexattr(path, name);
  return judge(std::string("setxattr ") + name + " of " + path, result);
}

Answer set_trusted_attribute() {
  constexpr const char* kFile = "/data/granary-attack-attribute";
  const int fd = ::open(kFile, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return refused("create");
  ::close(fd);
  Answer answer = set_attribute(kFile, "trusted.granary");
  ::unlink(kFile);
  return answer;
}

constexpr Attempt kAttempts[] = {
    {"usr-create", kTopic, "make a file in /usr/bin",
     [](const Knowledge&) { return try_create("/usr/bin/granary-attack"); }},
    {"usr-write", kTopic, "write into a program of /usr",
     [](const Knowledge&) { return try_write("/usr/bin/env"); }},
    {"usr-reopen", kTopic, "the same, through a descriptor opened for reading",
     [](const Knowledge&) { return reopen_for_writing("/usr/bin/env"); }},
    {"usr-chmod", kTopic, "make a program of /usr set-uid",
     [](const Knowledge&) { return change_mode("/usr/bin/env", 04755); }},
    {"usr-chown", kTopic, "take over a program of /usr",
     [](const Knowledge&) { return take_over("/usr/bin/env"); }},
    {"app-create", kTopic, "make a file in the release",
     [](const Knowledge&) { return try_create("/app/granary-attack-file"); }},
    {"app-write", kTopic, "write into a file of the release, which other accounts run",
     [](const Knowledge&) { return try_write("/app/granary.yaml"); }},
    {"app-reopen", kTopic, "the same, through a descriptor opened for reading",
     [](const Knowledge&) { return reopen_for_writing("/app/granary.yaml"); }},
    {"app-rename", kTopic, "rename a file of the release",
     [](const Knowledge&) { return move_aside("/app/granary.yaml"); }},
    {"app-attribute", kTopic, "set an attribute of the release's folder",
     [](const Knowledge&) { return set_attribute("/app", "user.granary"); }},
    {"own-program-write", kTopic, "write into the running program",
     [](const Knowledge&) { return try_write("/proc/self/exe"); }},
    {"init-program-write", kTopic, "write into the silo's first program through process 1",
     [](const Knowledge&) { return try_write("/proc/1/exe"); }},
    {"init-file-write", kTopic, "write into the silo's first program, which all silos run",
     [](const Knowledge&) { return try_write("/run/granary-init"); }},
    {"etc-create", kTopic, "make a file in /etc",
     [](const Knowledge&) { return try_create("/etc/ld.so.preload"); }},
    {"etc-write", kTopic, "write into /etc/passwd",
     [](const Knowledge&) { return try_write("/etc/passwd"); }},
    {"etc-rename", kTopic, "rename /etc/passwd",
     [](const Knowledge&) { return move_aside("/etc/passwd"); }},
    {"root-create", kTopic, "make a file in /",
     [](const Knowledge&) { return try_create("/granary-attack-file"); }},
    {"config-write", kTopic, "write into the configuration that the platform gave",
     [](const Knowledge&) { return try_write("/run/config.json"); }},
    {"config-chmod", kTopic, "make the configuration writable",
     [](const Knowledge&) { return change_mode("/run/config.json", 0666); }},
    {"config-rename", kTopic, "rename the configuration",
     [](const Knowledge&) { return move_aside("/run/config.json"); }},
    {"secrets-create", kTopic, "make a file among the secrets",
     [](const Knowledge&) { return try_create("/run/secrets/granary-attack"); }},
    {"owner-root", kTopic, "give a file of /data to root",
     [](const Knowledge&) { return give_away(0); }},
    {"owner-victim", kTopic, "give a file of /data to the user of another account",
     [](const Knowledge& known) { return give_away(known.foreign_uid()); }},
    {"trusted-attribute", kTopic, "set an attribute that only root may set",
     [](const Knowledge&) { return set_trusted_attribute(); }},
};

}  // namespace

std::span<const Attempt> write_attempts() { return kAttempts; }

}  // namespace granary::walls
